"""Rules between keys: settings that are fine alone and cannot stand together, and those that deserve a warning."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from holdfast.config.model import Config, MppePolicy
from holdfast.config.radius_section import WhenDown
from holdfast.policy.radius_settings import SMALLEST_INTERIM
from holdfast.policy.ranges import Address, AddressRange

WITHOUT_KEYS = ("chap-md5", "pap")
"""Methods from which no MPPE keys can be derived (RFC 3079 knows MS-CHAP and EAP-TLS only)."""

COMFORTABLE_MTU = 1450
"""Above this a packet with all its headers (up to 44 octets) no longer fits PPPoE's 1492 or even Ethernet's 1500."""

GRE_STATE = 180
"""Seconds for which Linux keeps a GRE flow that both sides use, and others about as long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something between keys. `keys` are those involved, the one to blame first."""

    keys: tuple[str, ...]
    what: str
    meant: str = ""


Findings = Iterator[Finding]


def contradictions(config: Config) -> list[Finding]:
    """Return what cannot stand together."""
    return [finding for rule in _CONTRADICTIONS for finding in rule(config)]


def warnings(config: Config) -> list[Finding]:
    """Return what is allowed and yet unwise."""
    return [finding for rule in _WARNINGS for finding in rule(config)]


def _encryption_without_keys(config: Config) -> Findings:
    wrong = [method for method in config.ppp.authentication if method in WITHOUT_KEYS]
    if config.ppp.mppe is MppePolicy.REQUIRE and wrong:
        yield Finding(
            ("ppp.authentication", "ppp.mppe"),
            f"mppe is required, but {' and '.join(wrong)} gives no encryption keys: such a client could never get in",
            f'Remove {" and ".join(wrong)} from ppp.authentication, or set ppp.mppe = "prefer" or "off".',
        )


def _eap_without_server(config: Config) -> Findings:
    if "eap" in config.ppp.authentication and not config.radius.servers:
        yield Finding(
            ("ppp.authentication", "radius.servers"),
            "eap is judged by a RADIUS server, and none is named",
            'Name radius.servers, or remove "eap".',
        )


def _repeated(config: Config) -> Findings:
    lists = {
        "ppp.authentication": config.ppp.authentication,
        "ppp.mppe_bits": config.ppp.mppe_bits,
        "addresses.wins": config.addresses.wins,
        "addresses.dns": config.addresses.dns or (),
        "control.viewers": config.control.viewers,
        "control.operators": config.control.operators,
    }
    for key, values in lists.items():
        if len(set(values)) < len(values):
            yield Finding((key,), "the same value stands in this list more than once", "Keep one of each.")


def _listen_collides(config: Config) -> Findings:
    for one, other in combinations(config.gateway.listen, 2):
        if one.collides(other):
            yield Finding(
                ("gateway.listen",),
                f"{one} and {other} cannot both be listened on",
                "0.0.0.0 already means every address of this machine; keep either it or the single addresses.",
            )


def _pools(config: Config) -> list[tuple[str, AddressRange]]:
    """Return every range with the key that it stands under."""
    named = [(f"pools.{name}.ranges", part) for name, pool in config.pools.items() for part in pool.ranges]
    return [*(("addresses.pool", part) for part in config.addresses.pool), *named]


def _pool_overlaps(config: Config) -> Findings:
    for (_, one), (key, other) in combinations(_pools(config), 2):
        if one.overlaps(other):
            yield Finding((key,), f"the ranges {one} and {other} overlap", "Give each address to one range only.")


def _gateway_in_pool(config: Config) -> Findings:
    gateway = config.addresses.gateway
    for key, part in _pools(config):
        if gateway in part:
            yield Finding(
                (key, "addresses.gateway"),
                f"the gateway's own address {gateway} lies in the pool range {part}",
                f"Let the range leave it out: {_beside(part, gateway)}.",
            )


def _beside(part: AddressRange, hole: Address) -> str:
    """Write the range without one address."""
    sides = []
    if hole != part.first:
        sides.append(str(AddressRange(part.first, hole - 1)))
    if hole != part.last:
        sides.append(str(AddressRange(hole + 1, part.last)))
    return " and ".join(sides) or "choose another one"


def _listen_inside(config: Config) -> Findings:
    for endpoint in config.gateway.listen:
        for key, _ in [(key, part) for key, part in _pools(config) if endpoint.address in part][:1]:
            yield Finding(
                (key, "gateway.listen"),
                f"the pool holds {endpoint.address}, on which the gateway listens",
                "Clients need addresses that nobody has; choose a network that is used nowhere else.",
            )
        if endpoint.address == config.addresses.gateway:
            yield Finding(
                ("addresses.gateway", "gateway.listen"),
                f"{endpoint.address} is both the address inside the tunnel and the one that clients dial",
                "A client would route the tunnel's own packets into the tunnel; choose another inside address.",
            )


def _nat_interface_without_nat(config: Config) -> Findings:
    if config.addresses.nat_interface is not None and not config.addresses.nat:
        yield Finding(
            ("addresses.nat_interface", "addresses.nat"),
            "an interface for NAT is named, but nat is false",
            "Set addresses.nat = true or remove nat_interface.",
        )


def _large_mtu(config: Config) -> Findings:
    for key, size in (("ppp.mtu", config.ppp.mtu), ("ppp.mru", config.ppp.mru)):
        if size > COMFORTABLE_MTU:
            yield Finding(
                (key,),
                f"{size} octets and up to 44 of headers do not fit every path: PPPoE carries 1492, Ethernet 1500",
                "1400 leaves room everywhere; large transfers that stall are the usual sign of too much.",
            )


def _readable_traffic(config: Config) -> Findings:
    if config.ppp.mppe is not MppePolicy.REQUIRE:
        yield Finding(
            ("ppp.mppe",), f'with mppe = "{config.ppp.mppe}" a session can carry its traffic in clear text',
            'Use "require" unless a device cannot encrypt.',
        )  # fmt: skip
    elif weak := [bits for bits in config.ppp.mppe_bits if bits < 128]:
        yield Finding(
            ("ppp.mppe_bits",), f"keys of {' and '.join(map(str, weak))} bits are broken in minutes", "Use [128]."
        )


def _weak_methods(config: Config) -> Findings:
    words = {
        "pap": "pap sends the password in clear text",
        "chap-md5": "chap-md5 gives no encryption and needs the password itself in the database",
        "ms-chap": "ms-chap (version 1) is broken and does not prove the gateway to the client",
    }
    for method in config.ppp.authentication:
        if method in words:
            yield Finding(("ppp.authentication",), words[method], "Offer only ms-chap-v2 where the clients allow it.")


def _open_metrics(config: Config) -> Findings:
    metrics = config.metrics
    if metrics.listen is not None and metrics.token_file is None and not metrics.listen.address.is_loopback:
        yield Finding(
            ("metrics.listen",),
            f"whoever reaches {metrics.listen} may read the metrics",
            "Name a metrics.token_file, or listen on 127.0.0.1.",
        )


def _metrics_port_taken(config: Config) -> Findings:
    metrics = config.metrics.listen
    for endpoint in config.gateway.listen if metrics is not None else ():
        if metrics is not None and metrics.collides(endpoint):
            yield Finding(("metrics.listen", "gateway.listen"), f"{metrics} and {endpoint} are the same socket")


def _unknown_names(config: Config) -> Findings:
    """Users may be sent to pools and filters by groups and by RADIUS; the file can be checked now."""
    named = {"pool": tuple(config.pools), "filter": tuple(config.filters)}
    places = [("limits.filter", "filter", config.limits.filter)]
    places += [
        (f"groups.{name}.{key}", key, getattr(group, key)) for name, group in config.groups.items() for key in named
    ]
    for where, key, name in places:
        if name and name not in named[key]:
            known = ", ".join(named[key]) or "none"
            yield Finding((where,), f"there is no section [{key}s.{name}]", f"There are: {known}.")


def _radius_without_secrets(config: Config) -> Findings:
    radius = config.radius
    by_secret = [server for server in (*radius.servers, *(radius.accounting_servers or ())) if server.needs_secret]
    if (by_secret or radius.dynamic_clients) and radius.secrets_file is None:
        key = "radius.servers" if by_secret else "radius.dynamic_clients"
        yield Finding((key, "radius.secrets_file"), "no file with shared secrets is named", "Name radius.secrets_file.")


def _dynamic_half(config: Config) -> Findings:
    radius = config.radius
    if radius.dynamic_listen is not None and not radius.dynamic_clients:
        yield Finding(
            ("radius.dynamic_listen", "radius.dynamic_clients"),
            "nobody may send requests to it",
            "List the servers that may in radius.dynamic_clients.",
        )


def _radius_outlasts_authentication(config: Config) -> Findings:
    radius, limit = config.radius, config.ppp.authentication_timeout
    if radius.servers and radius.patience >= limit:
        yield Finding(
            ("radius.patience", "ppp.authentication_timeout"),
            f"a client is given up after {limit:g} s, before RADIUS may take its {radius.patience:g} s",
            f"Set ppp.authentication_timeout above {radius.patience:g}.",
        )


def _cache_without_passwords(config: Config) -> Findings:
    if config.radius.when_down is WhenDown.CACHED and "pap" not in config.ppp.authentication:
        methods = ", ".join(config.ppp.authentication)
        yield Finding(
            ("radius.when_down",),
            f"from {methods} nothing can be kept that would judge the next sign-in: only users that stand in the local "
            "table, too, can come back while no server answers",
            'Add those who must get in to the local users, or take "local" or "reject".',
        )


def _keepalive(config: Config) -> Findings:
    interval, failures = config.ppp.lcp_echo_interval, config.ppp.lcp_echo_failures
    if not interval:
        yield Finding(
            ("ppp.lcp_echo_interval",),
            "LCP echo is off: a client that is gone keeps its session and address for ever",
            "Use 10, or more where packets cost money.",
        )
    elif interval >= GRE_STATE:
        yield Finding(
            ("ppp.lcp_echo_interval",),
            f"NAT forgets GRE after {GRE_STATE} s of silence (nf_conntrack_gre_timeout_stream), before the first echo",
            f"Use a third of what the NAT on the way keeps it for: {GRE_STATE // 3} or less.",
        )
    if interval and failures == 1:
        yield Finding(
            ("ppp.lcp_echo_failures",), "one lost packet ends a session: false disconnects", "Use 2 at least, better 3."
        )


def _frequent_accounting(config: Config) -> Findings:
    interval = config.timeouts.accounting_interval
    if 0 < interval < SMALLEST_INTERIM:
        yield Finding(
            ("timeouts.accounting_interval",),
            f"RFC 2869 section 5.16 forbids updates more often than every {SMALLEST_INTERIM} s and advises 600",
            "Use 300 or 600.",
        )


_CONTRADICTIONS: tuple[Callable[[Config], Findings], ...] = (
    _encryption_without_keys,
    _eap_without_server,
    _repeated,
    _listen_collides,
    _pool_overlaps,
    _gateway_in_pool,
    _listen_inside,
    _nat_interface_without_nat,
    _metrics_port_taken,
    _unknown_names,
    _radius_without_secrets,
    _dynamic_half,
)
_WARNINGS: tuple[Callable[[Config], Findings], ...] = (
    _large_mtu,
    _readable_traffic,
    _weak_methods,
    _open_metrics,
    _radius_outlasts_authentication,
    _cache_without_passwords,
    _keepalive,
    _frequent_accounting,
)
