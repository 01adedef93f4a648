"""Attributes of an Access-Accept or a CoA-Request that are settings of a session, with their origin in words.

RFC 2865, RFC 2869, RFC 2548, and what WISPr, Mikrotik and ChilliSpot say about rates and volumes. What is understood
and cannot be used is named, with the reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from types import MappingProxyType
from typing import Any

from holdfast.policy.effective import RADIUS_KEYS, Layer
from holdfast.policy.rates import read_mikrotik
from holdfast.radius.attributes import Attributes, describe
from holdfast.radius.codes import Vendor
from holdfast.radius.dictionary import BY_NUMBER, Kind
from holdfast.wire.text import printable

SMALLEST_INTERIM = 60
"""Seconds; RFC 2869 section 5.16 forbids less."""
SMALLEST_MTU = 576
"""Octets that every IPv4 host takes (RFC 791 section 3.1); a Framed-MTU below does more harm than good."""
ONE_HOST = IPv4Address("255.255.255.255")
"""The netmask of a client that is no router."""
CHOSEN_BY_USER, CHOSEN_BY_NAS = IPv4Address("255.255.255.255"), IPv4Address("255.255.255.254")
"""Framed-IP-Address that lets the client choose, or us (RFC 2865 section 5.8)."""
ENCRYPTION_ALLOWED, ENCRYPTION_REQUIRED = 1, 2
"""MS-MPPE-Encryption-Policy (RFC 2548 section 2.4.4)."""
ENCRYPTION_TYPES = {128: 0x4, 56: 0x8, 40: 0x2}
"""Strengths and their bits in MS-MPPE-Encryption-Types; 56 bits came later, with Windows 2000."""
DEFAULT_ACTION, RADIUS_REQUEST = 0, 1
"""Termination-Action (RFC 2865 section 5.29)."""
SIZES = {Kind.INTEGER: 4, Kind.ADDRESS: 4}
"""Octets of a value (RFC 2865 section 5)."""
NO_IPV6 = ("NAS-IPv6-Address", "Framed-IPv6-Prefix")

NUMBERS: Mapping[str, str] = MappingProxyType(
    {BY_NUMBER[Vendor.STANDARD, number].name: key for number, key in RADIUS_KEYS.items()}
)
"""Attributes whose number is the setting."""


@dataclass(frozen=True, slots=True)
class _Found:
    key: str
    value: Any
    attribute: str


@dataclass(frozen=True, slots=True)
class _Useless:
    attribute: str
    value: object
    why: str


_Said = Iterator[_Found | _Useless]


def settings_layer(values: Attributes, origin: str) -> Layer:
    """Return the settings among some attributes, each with `origin` and the attribute that it came in, and what
    cannot be used."""
    readers = (
        *(_sizes, _numbers, _termination, _names, _address, _servers),
        *(_mtu, _encryption, _rates, _volume, _routes),
    )
    said = [one for read in readers for one in read(values)]
    found = [one for one in said if isinstance(one, _Found)]
    useless = [one for one in said if isinstance(one, _Useless)]
    return Layer(
        {one.key: one.value for one in found},
        {one.key: f"{origin}: {one.attribute}" for one in found},
        tuple(dict.fromkeys(f"{origin}: {one.attribute} = {one.value}: {one.why}" for one in useless)),
    )


def _sizes(values: Attributes) -> _Said:
    """A value of a wrong length is as good as absent to every other reader here."""
    for one in values.all:
        size = SIZES.get(one.definition.kind) if one.definition else None
        if size is not None and len(one.data) != size:
            yield _Useless(one.name, describe(one), f"it has {len(one.data)} octets, not {size}")
        elif one.name in NO_IPV6:
            yield _Useless(one.name, describe(one), "tunnels carry IPv4 only")


def _numbers(values: Attributes) -> _Said:
    for name, key in NUMBERS.items():
        number = values.integer(name)
        if number is None:
            continue
        raised = key == "accounting_interval" and 0 < number < SMALLEST_INTERIM
        where = f"{name} ({number}, raised to {SMALLEST_INTERIM}: RFC 2869 forbids less)" if raised else name
        yield _Found(key, float(SMALLEST_INTERIM if raised else number), where)
    limit = values.integer("Port-Limit")
    if limit is not None:
        yield _Found("sessions_per_user", limit, "Port-Limit")


def _termination(values: Attributes) -> _Said:
    action = values.integer("Termination-Action")
    if action in (DEFAULT_ACTION, RADIUS_REQUEST):
        yield _Found("reauthenticate", action == RADIUS_REQUEST, "Termination-Action")
    elif action is not None:
        yield _Useless("Termination-Action", action, "0 (Default) and 1 (RADIUS-Request) are known")


def _names(values: Attributes) -> _Said:
    """RFC 2865 section 5.11, RFC 2869 section 5.18: names of what is configured here. The first of several counts."""
    for name, key in (("Framed-Pool", "pool"), ("Filter-Id", "filter"), ("Mikrotik-Group", "group")):
        for place, data in enumerate(values.every(name)):
            text = printable(data)
            yield _Useless(name, repr(text), "the first of several counts") if place else _Found(key, text, name)


def is_host(address: IPv4Address) -> bool:
    """Whether it can be a host's own: the special values of Framed-IP-Address are reserved addresses, too."""
    return not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_reserved)


def _address(values: Attributes) -> _Said:
    name = "Framed-IP-Address"
    address = values.address(name)
    if address == CHOSEN_BY_USER:
        yield _Found("client_wish", True, name)
    elif address is not None and is_host(address):
        yield _Found("address", (str(address),), name)
    elif address not in (None, CHOSEN_BY_NAS):
        yield _Useless(name, address, "no client can have it")


def _servers(values: Attributes) -> _Said:
    for key, kind in (("dns", "DNS"), ("wins", "NBNS")):
        names = [f"MS-{rank}-{kind}-Server" for rank in ("Primary", "Secondary")]
        pairs = [(name, address) for name in names if (address := values.address(name)) is not None]
        good = [(name, address) for name, address in pairs if is_host(address)]
        yield from (_Useless(name, address, "no server has it") for name, address in pairs if not is_host(address))
        if good:
            yield _Found(key, tuple(str(address) for _, address in good), " and ".join(name for name, _ in good))


def _mtu(values: Attributes) -> _Said:
    number = values.integer("Framed-MTU")
    if number is not None and number < SMALLEST_MTU:
        yield _Useless("Framed-MTU", number, f"below the {SMALLEST_MTU} octets that every host must take")
    elif number is not None:
        yield _Found("mtu", number, "Framed-MTU")


def requires_encryption(values: Attributes) -> bool:
    """Whether nothing may pass unencrypted (MS-MPPE-Encryption-Policy)."""
    return values.integer("MS-MPPE-Encryption-Policy") == ENCRYPTION_REQUIRED


def strengths(values: Attributes) -> tuple[int, ...] | None:
    """RFC 2548 section 2.4.5: key lengths in bits by MS-MPPE-Encryption-Types; None without it."""
    types = values.integer("MS-MPPE-Encryption-Types")
    return None if types is None else tuple(bits for bits, bit in ENCRYPTION_TYPES.items() if types & bit)


def _encryption(values: Attributes) -> _Said:
    name = "MS-MPPE-Encryption-Policy"
    policy, bits = values.integer(name), strengths(values)
    if policy == ENCRYPTION_REQUIRED:
        yield _Found("mppe", "require", name)
    elif policy not in (None, ENCRYPTION_ALLOWED):
        yield _Useless(name, policy, "1 (Encryption-Allowed) and 2 (Encryption-Required) are known")
    if bits is not None:
        yield _Found("mppe_bits", bits, "MS-MPPE-Encryption-Types")


def _rates(values: Attributes) -> _Said:
    """WISPr's numbers go before Mikrotik's text where a server sends both."""
    text = values.text("Mikrotik-Rate-Limit")
    limit = read_mikrotik(text)
    if text and limit is None:
        yield _Useless("Mikrotik-Rate-Limit", repr(text), "its first word is no rate such as 2M/10M")
    for place, (key, name) in enumerate(
        (("rate_up", "WISPr-Bandwidth-Max-Up"), ("rate_down", "WISPr-Bandwidth-Max-Down"))
    ):
        number = values.integer(name)
        if number is not None:
            yield _Found(key, number, name)
        elif limit is not None:
            yield _Found(key, limit[place], "Mikrotik-Rate-Limit")


VOLUMES = (
    ("volume_limit", "Mikrotik-Total-Limit", "Mikrotik-Total-Limit-Gigawords"),
    ("volume_limit", "ChilliSpot-Max-Total-Octets", "ChilliSpot-Max-Total-Gigawords"),
    ("volume_limit_in", "Mikrotik-Recv-Limit", "Mikrotik-Recv-Limit-Gigawords"),
    ("volume_limit_in", "ChilliSpot-Max-Input-Octets", "ChilliSpot-Max-Input-Gigawords"),
    ("volume_limit_out", "Mikrotik-Xmit-Limit", "Mikrotik-Xmit-Limit-Gigawords"),
    ("volume_limit_out", "ChilliSpot-Max-Output-Octets", "ChilliSpot-Max-Output-Gigawords"),
)
"""Octets both ways, from the client (what the router receives), to it; what 32 bits do not hold in a second attribute.
Of two for the same limit the first counts."""


def _volume(values: Attributes) -> _Said:
    given: set[str] = set()
    for key, name, gigawords in VOLUMES:
        limit = ((values.integer(gigawords) or 0) << 32) + (values.integer(name) or 0)
        if limit and key not in given:
            given.add(key)
            yield _Found(key, limit, name)


def _routes(values: Attributes) -> _Said:
    """Framed-Route and the network that Framed-IP-Netmask makes of the address (RFC 2865 sections 5.9 and 5.22)."""
    routes: dict[str, str] = {}
    for data in values.every("Framed-Route"):
        text = printable(data)
        route = read_route(text)
        if route:
            routes.setdefault(route, "Framed-Route")
        else:
            yield _Useless("Framed-Route", repr(text), "not a network that can lie behind one client")
    address, mask = values.address("Framed-IP-Address"), values.address("Framed-IP-Netmask")
    if mask is not None and mask != ONE_HOST:
        network = _network(f"{address}/{mask}") if address is not None and is_host(address) else None
        if network is None or not network.prefixlen:
            why = "with this Framed-IP-Address, or without one, it is no network behind the client"
            yield _Useless("Framed-IP-Netmask", mask, why)
        else:
            routes.setdefault(str(network), "Framed-IP-Netmask")
    if routes:
        yield _Found("routes", tuple(routes), " and ".join(dict.fromkeys(routes.values())))


def read_route(text: str) -> str:
    """Return the network of a Framed-Route such as `10.1.0.0/16 0.0.0.0 1`; empty when it is none.

    Whatever gateway it names, the session is the way there. Without a length the old classes give it (RFC 2865
    section 5.22). A route to everything would take the other clients' traffic, and is none.
    """
    words = text.split()
    if not words:
        return ""
    written = words[0]
    if "/" not in written:
        first = written.partition(".")[0]
        number = int(first) if first.isascii() and first.isdigit() else 0
        written += "/8" if number < 128 else "/16" if number < 192 else "/24"
    network = _network(written)
    return "" if network is None or not network.prefixlen else str(network)


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None
