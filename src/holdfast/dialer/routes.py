"""What goes through a tunnel: the plan of addresses and routes, and why it is so, in sentences.

The default route of the host is never touched. `halves` covers it with 0.0.0.0/1 and 128.0.0.0/1, which win by
their length; `rules` leaves the main table alone and looks a table of the tunnel's own up after it. The server
itself is reached beside the tunnel: by a pinned host route, or with rules by one that sends it to the main table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from holdfast.dialer.addresses import HostView, covering
from holdfast.dialer.settings import FullMethod, Ipv6Choice, RouteMode, RouteSettings
from holdfast.network.changes import AddAddress, AddRoute, AddRule, Change, SetLink, SetSysctl
from holdfast.network.netlink import MAIN_TABLE, Route, Rule

HALVES = ("0.0.0.0/1", "128.0.0.0/1")
IPV6_HALVES = ("::/1", "8000::/1")
EVERYTHING = "0.0.0.0/0"
RULE_PRIORITY = 17230
"""Of the first rule; the others follow. Before the main table's 32766, behind what an administrator numbers low."""
LAST_METRIC = 32000
LOOSE = "2"
"""rp_filter of RFC 3704 section 2.4: replies may come from where the main table would not send."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The tunnel: its interface, the addresses that were agreed (`peer` may be empty), its MTU, the outer server."""

    interface: str
    local: IPv4Address
    peer: str
    mtu: int
    server: IPv4Address


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """Changes in order, and why, one sentence each. `pin` is the change that keeps the server reachable."""

    changes: tuple[Change, ...]
    why: tuple[str, ...]
    pin: Change | None = None


def plan(
    settings: RouteSettings,
    inside: Inside,
    outside: Route | None,
    host: HostView,
    *,
    pushed: Sequence[IPv4Network] = (),
    servers: Sequence[IPv4Address] = (),
    ipv6: bool = True,
    wall: Change | None = None,
) -> RoutePlan:
    """Return what to do. `outside`: the route that reaches the server now; `pushed`: networks from the server;
    `servers`: name servers inside the tunnel, which must be reached through it; `ipv6`: this host has IPv6;
    `wall`: the firewall that keeps it in where routes do not, None where there is no nftables.
    """
    addressed, why = addressing(inside, host)
    if settings.mode is RouteMode.NONE:
        return RoutePlan(tuple(addressed), (*why, "no routes are set (mode none)"))
    by_rules = _by_rules(settings)
    pin, told = _pin(inside, outside, by_rules=by_rules)
    why += told
    if settings.mode is RouteMode.FULL or settings.selective:
        routes, told = _full(settings, inside, by_rules=by_rules)
        blocked, more = _ipv6(settings, wall, ipv6=ipv6)
        routes, told = [*routes, *blocked], [*told, *more]
    else:
        routes, told = _split(settings, inside, pushed, servers)
    pins = [pin, *_net(inside, pin)] if pin is not None else []
    return RoutePlan((*addressed, *pins, *routes), (*why, *told), pin)


def _net(inside: Inside, pin: Change) -> list[Change]:
    """Return what catches packets to the server when the pinned route disappears with its interface.

    Without it they would fall into the tunnel, be wrapped and sent into it again.
    """
    if not isinstance(pin, AddRoute):
        return []
    return [AddRoute(Route(f"{inside.server}/32", metric=LAST_METRIC, kind="unreachable"))]


def pin_route(server: IPv4Address, outside: Route | None) -> AddRoute | None:
    """Return the host route that keeps the server reachable beside the tunnel; None where nothing can be pinned."""
    if outside is None or outside.kind != "unicast" or outside.interface in {"", "lo"}:
        return None
    return AddRoute(Route(f"{server}/32", outside.interface, outside.gateway))


def addressing(inside: Inside, host: HostView) -> tuple[list[Change], list[str]]:
    """Return the first changes of any plan, after which an answer from inside is heard, and why they are so."""
    objection = _peer_objection(inside, host)
    peer = "" if objection else inside.peer
    changes: list[Change] = [SetLink(inside.interface, inside.mtu)]
    changes.append(AddAddress(inside.interface, f"{inside.local}/32", peer))
    return changes, [f"the server's inner address {inside.peer} gets no route: {objection}"] if objection else []


def _peer_objection(inside: Inside, host: HostView) -> str:
    """Say why a route to the peer's inner address would cut the tunnel off from its own carrier."""
    if not inside.peer:
        return ""
    peer = IPv4Address(inside.peer)
    if peer == inside.server:
        return "it is the address that the tunnel itself runs to"
    if peer.is_unspecified or peer.is_multicast:
        return "it is not an address of a host"
    near = covering(peer, host.routes)
    return f"this host reaches {near.destination} by {near.interface}" if near is not None else ""


def _by_rules(settings: RouteSettings) -> bool:
    return settings.selective or settings.method is FullMethod.RULES


def _pin(inside: Inside, outside: Route | None, *, by_rules: bool) -> tuple[Change | None, list[str]]:
    server = f"{inside.server}/32"
    if by_rules:
        rule = AddRule(Rule(RULE_PRIORITY, MAIN_TABLE, destination=server))
        return rule, [f"{inside.server} is looked up in the main table, so that the tunnel does not carry itself"]
    pinned = pin_route(inside.server, outside)
    if pinned is None:
        return None, [f"{inside.server} is on this host itself: no route is pinned"]
    via = f"{pinned.route.gateway} on {pinned.route.interface}" if pinned.route.gateway else pinned.route.interface
    return pinned, [f"{inside.server} stays reachable by {via}, so that the tunnel does not carry itself"]


def _full(settings: RouteSettings, inside: Inside, *, by_rules: bool) -> tuple[list[Change], list[str]]:
    if not by_rules:
        routes: list[Change] = [AddRoute(Route(half, inside.interface)) for half in HALVES]
        return routes, ["everything goes through the tunnel by two halves, which win over the default route"]
    table = settings.table
    changes: list[Change] = [
        SetSysctl(f"net/ipv4/conf/{inside.interface}/rp_filter", LOOSE),
        AddRoute(Route(EVERYTHING, inside.interface, table=table)),
    ]
    for number, selector in enumerate(_selectors(settings)):
        priority = RULE_PRIORITY + 1 + 2 * number
        near = replace(selector, priority=priority, table=MAIN_TABLE, suppress_prefix_length=0)
        changes += [AddRule(near), AddRule(replace(selector, priority=priority + 1, table=table))]
    whose = "the selected traffic" if settings.selective else "everything"
    return changes, [f"{whose} that the main table has no route of its own for goes through the tunnel (table {table})"]


def _selectors(settings: RouteSettings) -> list[Rule]:
    """Return what the rules match, one each, places still to be set."""
    chosen = [Rule(0, 0, source=str(network)) for network in settings.sources]
    chosen += [Rule(0, 0, mark=mark) for mark in settings.marks]
    chosen += [Rule(0, 0, user_id=user) for user in settings.user_ids]
    return chosen or [Rule(0, 0)]


def _ipv6(settings: RouteSettings, wall: Change | None, *, ipv6: bool) -> tuple[list[Change], list[str]]:
    if not ipv6 or not (settings.mode is RouteMode.FULL or settings.selective):
        return [], []
    if settings.ipv6 is Ipv6Choice.LEAVE:
        return [], ["IPv6 is NOT carried and goes out beside the tunnel, as was chosen (ipv6 = leave)"]
    if settings.selective:
        return _ipv6_of_some(settings, wall)
    blocked: list[Change] = [AddRoute(Route(half, kind="unreachable")) for half in IPV6_HALVES]
    if wall is None:
        past = "but without nftables longer routes and sockets bound to an interface get past them"
        return blocked, [f"IPv6 is not carried; routes block it, {past} (apt install nftables)"]
    why = "IPv6 is not carried; it is blocked beyond this host's own links, so that nothing leaks"
    return [*blocked, wall], [why]


def _ipv6_of_some(settings: RouteSettings, wall: Change | None) -> tuple[list[Change], list[str]]:
    """Return what keeps IPv6 of the selected traffic in: marks and users are known by a firewall, by no route."""
    why = []
    if settings.sources:
        hosts = f"the hosts behind {_list(settings.sources)}"
        why.append(f"IPv6 of {hosts} is NOT carried and goes out beside the tunnel: their IPv6 addresses are not known")
    if not (settings.marks or settings.user_ids):
        return [], why
    if wall is None:
        lost = "IPv6 of the selected traffic is NOT carried and goes out beside the tunnel"
        return [], [*why, f"{lost}: without nftables it cannot be blocked (apt install nftables)"]
    return [wall], [
        *why,
        "IPv6 of the selected marks and users is not carried; it is blocked and does not leak",
    ]


def _split(
    settings: RouteSettings, inside: Inside, pushed: Sequence[IPv4Network], servers: Sequence[IPv4Address]
) -> tuple[list[Change], list[str]]:
    networks = list(dict.fromkeys([*settings.networks, *pushed]))
    named = [network for server in servers for network in [IPv4Network(f"{server}/32")]]
    missing = [network for network in named if not any(network.subnet_of(known) for known in networks)]
    wanted = [str(network) for network in [*networks, *missing]]
    # The point-to-point address brings its own route to the peer.
    routes: list[Change] = [AddRoute(Route(one, inside.interface)) for one in wanted if one != f"{inside.peer}/32"]
    why = []
    if settings.networks:
        why.append(f"through the tunnel, as configured: {_list(settings.networks)}")
    if pushed:
        why.append(f"through the tunnel, as the server says: {_list(pushed)}")
    if missing:
        why.append(f"its name servers are reached through the tunnel: {_list(missing)}")
    if not networks:
        why.append("no networks are configured and the server names none: only the server's inner address is reached")
    return routes, why


def _list(networks: Sequence[IPv4Network]) -> str:
    return ", ".join(map(str, networks))
