"""Addresses, links, routes and rules through pyroute2, as plain values.

Each call opens its own netlink socket, unless they are made within `session`: the work may come from any thread.
Adding what is there and removing what is gone is fine; every other refusal is a `HostError`.
"""

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_interface, ip_network
from typing import Any

from pyroute2 import NetlinkError

from holdfast.network.netlink_session import alter, ask, dump, session

MAIN_TABLE = 254
GONE = frozenset({errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL, errno.ENXIO})
UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH})
IPV6_METRIC = 1024
"""What the kernel writes for an IPv6 route without a metric (IP6_RT_PRIO_USER)."""
INVERT = 0x2
"""FIB_RULE_INVERT of linux/fib_rules.h."""
ROUTE_TYPES = {"unicast": 1, "blackhole": 6, "unreachable": 7}


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `destination` is a network in text form, IPv4 or IPv6; empty fields take no part."""

    destination: str
    interface: str = ""
    gateway: str = ""
    table: int = MAIN_TABLE
    metric: int = 0
    source: str = ""
    kind: str = "unicast"

    def __str__(self) -> str:
        via = f" via {self.gateway}" if self.gateway else ""
        device = f" dev {self.interface}" if self.interface else ""
        table = "" if self.table == MAIN_TABLE else f" table {self.table}"
        kind = "" if self.kind == "unicast" else f"{self.kind} "
        return f"{kind}{self.destination}{via}{device}{table}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy routing rule: which table packets that match are looked up in.

    `mark` -1 and `user_id` -1 match everything; `suppress_prefix_length` 0 hides default routes of the table.
    """

    priority: int
    table: int
    version: int = 4
    source: str = ""
    destination: str = ""
    mark: int = -1
    user_id: int = -1
    suppress_prefix_length: int = -1
    invert: bool = False

    def __str__(self) -> str:
        words = [f"rule {self.priority}", "not" if self.invert else "", f"from {self.source}" if self.source else ""]
        words.append(f"to {self.destination}" if self.destination else "")
        words += [
            f"fwmark {self.mark:#x}" if self.mark >= 0 else "",
            f"uid {self.user_id}" if self.user_id >= 0 else "",
        ]
        return " ".join([*filter(None, words), f"lookup {self.table}"])


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface."""

    index: int
    name: str
    mtu: int
    up: bool


class Netlink:
    """What Holdfast asks of the kernel's network configuration."""

    session = staticmethod(session)

    @staticmethod
    def index(name: str) -> int:
        """Return the number of an interface, which stays when it is renamed; 0 where there is none of this name."""
        try:
            return socket.if_nametoindex(name)
        except (OSError, ValueError):
            return 0

    @staticmethod
    def name(index: int) -> str:
        """Return what the interface of this number is called now, empty where there is none."""
        return _name(index) if index else ""

    def link(self, name: str) -> Link | None:
        """Return an interface, or None."""

        def look(netlink: Any) -> Link:
            message = netlink.get_links(_index(name))[0]
            return Link(message["index"], name, message.get("IFLA_MTU"), bool(message["flags"] & 1))

        return ask(f"link {name}", look, GONE)

    def set_link(self, name: str, *, mtu: int, up: bool) -> None:
        """Set the MTU and the administrative state."""
        state = "up" if up else "down"
        alter(f"link {name}", lambda netlink: netlink.link("set", index=_index(name), mtu=mtu, state=state))

    def addresses(self) -> list[tuple[str, str]]:
        """Return every address of this host as (interface, `address/prefix`)."""
        return (
            dump("addresses", "addresses", lambda netlink: [_address(message) for message in netlink.get_addr()]) or []
        )

    def peer(self, interface: str) -> str:
        """Return the IPv4 address at the other end of a point-to-point interface, empty where there is none."""

        def look(netlink: Any) -> str:
            held = netlink.get_addr(family=socket.AF_INET, index=_index(interface))
            pairs = ((message.get("IFA_ADDRESS"), message.get("IFA_LOCAL")) for message in held)
            return next((peer for peer, local in pairs if peer and local and peer != local), "")

        return ask(f"addresses of {interface}", look, GONE) or ""

    def has_address(self, interface: str, address: str) -> bool:
        """Whether an interface holds an address (`10.77.0.1/32`)."""
        return (interface, str(ip_interface(address))) in self.addresses()

    def add_address(self, interface: str, address: str, peer: str = "") -> None:
        """Give an interface an address; `peer` makes it a point-to-point address."""
        self._change_address("add", interface, address, peer)

    def remove_address(self, interface: str, address: str, peer: str = "") -> bool:
        """Take an address away; False when it was gone."""
        return self._change_address("del", interface, address, peer)

    def _change_address(self, verb: str, interface: str, address: str, peer: str) -> bool:
        parsed = ip_interface(address)
        keys: dict[str, Any] = {"prefixlen": parsed.network.prefixlen, "local": str(parsed.ip)}
        keys["address"] = peer or str(parsed.ip)
        what = f"address {address} on {interface}"
        work = partial(_call, "addr", verb, lambda: {"index": _index(interface), **keys})
        return bool(alter(what, work, {errno.EEXIST} if verb == "add" else GONE))

    def routes(self, *, table: int = MAIN_TABLE, version: int = 4) -> list[Route]:
        """Return the routes of one table."""
        keys = {"family": _family(version), "table": table}

        def look(netlink: Any) -> list[Route]:
            return [_route(message) for message in netlink.get_routes(**keys)]

        return dump("routes", ("routes", table, version), look) or []

    def has_route(self, route: Route) -> bool:
        """Whether exactly this route exists."""
        return route in self.routes(table=route.table, version=ip_network(route.destination).version)

    def route_to(self, address: str, *, interface: str = "") -> Route | None:
        """Return the route that a packet to `address` takes now (out of `interface`), or None when there is none."""

        def look(netlink: Any) -> Route:
            keys = {"oif": _index(interface)} if interface else {}
            return _route(next(iter(netlink.route("get", dst=address, **keys))))

        return ask(f"route to {address}", look, UNREACHABLE | GONE)

    def add_route(self, route: Route) -> None:
        """Add a route. HostError when another one is in its way."""
        alter(f"route {route}", partial(_call, "route", "add", lambda: _route_keys(route)))

    def remove_route(self, route: Route) -> bool:
        """Remove exactly this route; False when it was gone."""
        return bool(alter(f"route {route}", partial(_call, "route", "del", lambda: _route_keys(route)), GONE))

    def has_rule(self, rule: Rule) -> bool:
        """Whether a rule of this priority, table, source and mark exists."""

        def look(netlink: Any) -> bool:
            return any(_same_rule(rule, message) for message in netlink.get_rules(family=_family(rule.version)))

        return bool(ask("rules", look))

    def add_rule(self, rule: Rule) -> None:
        """Add a policy routing rule."""
        alter(str(rule), partial(_call, "rule", "add", lambda: _rule_keys(rule)), {errno.EEXIST})

    def remove_rule(self, rule: Rule) -> bool:
        """Remove a rule; False when it was gone."""
        return bool(alter(str(rule), partial(_call, "rule", "del", lambda: _rule_keys(rule)), GONE))


def _call(noun: str, verb: str, keys: Callable[[], dict[str, Any]], netlink: Any) -> bool:
    getattr(netlink, noun)(verb, **keys())
    return True


def _family(version: int) -> int:
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return ""


def _index(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError as error:
        raise NetlinkError(errno.ENODEV, f"no interface {name}") from error


def _address(message: Any) -> tuple[str, str]:
    return _name(message["index"]), f"{message.get('IFA_LOCAL') or message.get('IFA_ADDRESS')}/{message['prefixlen']}"


def _route_keys(route: Route) -> dict[str, Any]:
    network = ip_network(route.destination)
    keys: dict[str, Any] = {"dst": str(network), "table": route.table, "type": ROUTE_TYPES[route.kind]}
    keys["family"] = _family(network.version)
    if route.interface:
        keys["oif"] = _index(route.interface)
    if route.kind == "unicast":
        keys["scope"] = 0 if route.gateway or network.version == 6 else 253
    metric = route.metric or (IPV6_METRIC if network.version == 6 else 0)
    optional = {"gateway": route.gateway, "priority": metric, "prefsrc": route.source}
    return {**keys, **{name: value for name, value in optional.items() if value}}


def _route(message: Any) -> Route:
    version = 4 if message["family"] == socket.AF_INET else 6
    everything = str(ip_network((0, 0)).network_address) if version == 4 else "::"
    metric = message.get("RTA_PRIORITY") or 0
    kinds = {number: word for word, number in ROUTE_TYPES.items()}
    return Route(
        f"{message.get('RTA_DST') or everything}/{message['dst_len']}",
        _name(message.get("RTA_OIF") or 0),
        message.get("RTA_GATEWAY") or "",
        message.get("RTA_TABLE") or message["table"],
        0 if metric == (0 if version == 4 else IPV6_METRIC) else metric,
        message.get("RTA_PREFSRC") or "",
        kinds.get(message["type"], str(message["type"])),
    )


def _rule_keys(rule: Rule) -> dict[str, Any]:
    keys: dict[str, Any] = {"priority": rule.priority, "table": rule.table}
    keys["family"] = _family(rule.version)
    if rule.source:
        keys["src"] = rule.source
    if rule.destination:
        keys["dst"] = rule.destination
    if rule.mark >= 0:
        keys["fwmark"] = rule.mark
    if rule.user_id >= 0:
        keys["uid_range"] = f"{rule.user_id}:{rule.user_id}"
    if rule.suppress_prefix_length >= 0:
        keys["suppress_prefixlen"] = rule.suppress_prefix_length
    return {**keys, "flags": INVERT} if rule.invert else keys


def _same_rule(rule: Rule, message: Any) -> bool:
    wanted = tuple(str(ip_network(text)) if text else "" for text in (rule.source, rule.destination))
    ends = (("FRA_SRC", "src_len"), ("FRA_DST", "dst_len"))
    found = tuple(f"{message.get(name)}/{message[size]}" if message.get(name) else "" for name, size in ends)
    place = (message.get("FRA_PRIORITY") or 0, message.get("FRA_TABLE") or message["table"])
    mark = message.get("FRA_FWMARK") or 0
    return (found, place, mark) == (wanted, (rule.priority, rule.table), max(rule.mark, 0))
