"""Routes from the server: DHCPINFORM asked and answered inside the tunnel (RFC 2131, RFC 3442).

PPP has no way to tell routes. Windows clients therefore ask by DHCPINFORM for option 121 (RFC 3442) and for 249,
Microsoft's older number for the same encoding, and so do we. What comes back is a peer's word: it is read with
bounds, and a default route among it is refused where the tunnel is meant for some networks only.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from holdfast.network.packets import udp_packet

CLIENT_PORT = 68
SERVER_PORT = 67
BROADCAST = "255.255.255.255"
MAGIC_COOKIE = bytes((99, 130, 83, 99))
"""RFC 2131 section 3."""
HEADER = struct.Struct("!4BIHH4s4s4s4s16s64s128s")
"""RFC 2131 figure 1: op, htype, hlen, hops, xid, secs, flags, four addresses, chaddr, sname, file."""
REQUEST, REPLY = 1, 2
PPP_HARDWARE = 8
"""What Windows writes as htype in a tunnel (HYPERchannel in the ARP registry); servers do not look at it."""
INFORM, ACK = 8, 5
PAD, END = 0, 255


class Option:
    """DHCP options that take part (RFC 2132, RFC 3442)."""

    SUBNET_MASK = 1
    DNS = 6
    DOMAIN = 15
    MESSAGE_TYPE = 53
    SERVER = 54
    REQUESTED = 55
    CLIENT_IDENTIFIER = 61
    CLASSLESS_ROUTES = 121
    CLASSLESS_ROUTES_MICROSOFT = 249


ASKED = (
    Option.SUBNET_MASK,
    Option.DNS,
    Option.DOMAIN,
    Option.CLASSLESS_ROUTES,
    Option.CLASSLESS_ROUTES_MICROSOFT,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a DHCPACK says that matters here. `routes` as the server wrote them, gateways left out."""

    routes: tuple[IPv4Network, ...] = ()
    dns: tuple[IPv4Address, ...] = ()
    domain: str = ""


@dataclass(frozen=True, slots=True)
class AcceptedRoutes:
    """The routes that are taken and, one sentence each, why others are not."""

    routes: tuple[IPv4Network, ...]
    refused: tuple[str, ...]


def inform(address: IPv4Address, transaction: int) -> bytes:
    """Return the IPv4 packet with a DHCPINFORM from `address` (RFC 2131 section 4.4.3)."""
    fixed = (REQUEST, PPP_HARDWARE, 6, 0, transaction, 0, 0, address.packed)
    header = HEADER.pack(*fixed, *(bytes(size) for size in (4, 4, 4, 16, 64, 128)))
    options = [(Option.MESSAGE_TYPE, bytes((INFORM,))), (Option.REQUESTED, bytes(ASKED))]
    body = b"".join(bytes((code, len(value))) + value for code, value in options)
    message = header + MAGIC_COOKIE + body + bytes((END,))
    return udp_packet(address, IPv4Address(BROADCAST), CLIENT_PORT, SERVER_PORT, message)


def read_answer(message: bytes, transaction: int) -> Answer | None:
    """Read the UDP payload of a DHCPACK to our DHCPINFORM; None for anything else or what is malformed."""
    if len(message) < HEADER.size + len(MAGIC_COOKIE) or message[HEADER.size :][:4] != MAGIC_COOKIE:
        return None
    fields = HEADER.unpack_from(message)
    if fields[0] != REPLY or fields[4] != transaction:
        return None
    options = _options(message[HEADER.size + len(MAGIC_COOKIE) :])
    if options is None or options.get(Option.MESSAGE_TYPE) != bytes((ACK,)):
        return None
    coded = options.get(Option.CLASSLESS_ROUTES) or options.get(Option.CLASSLESS_ROUTES_MICROSOFT) or b""
    routes = _routes(coded)
    if routes is None:
        return None
    return Answer(routes, _addresses(options.get(Option.DNS, b"")), _domain(options.get(Option.DOMAIN, b"")))


def accept(answer: Answer, *, everything: bool, taken: tuple[IPv4Network, ...] = ()) -> AcceptedRoutes:
    """Choose among the routes of an answer.

    A default route (or halves of it) is refused unless the tunnel is for `everything`; so is what would take
    over loopback, multicast or link-local addresses, or a network in `taken`, which this host reaches itself.
    """
    accepted: list[IPv4Network] = []
    refused: list[str] = []
    for network in dict.fromkeys(answer.routes):
        objection = _objection(network, everything, taken)
        if objection:
            refused.append(f"the server's route {network} is not taken: {objection}")
        else:
            accepted.append(network)
    return AcceptedRoutes(tuple(accepted), tuple(refused))


def _objection(network: IPv4Network, everything: bool, taken: tuple[IPv4Network, ...]) -> str:
    if network.prefixlen <= 1 and not everything:
        return "it would send all traffic into a tunnel that is meant for some networks only"
    if network.prefixlen > 1 and (network.is_loopback or network.is_multicast or network.is_link_local):
        return "addresses of this kind never leave a host or its link"
    own = next((route for route in taken if network.prefixlen > 1 and network.overlaps(route)), None)
    return f"this host reaches {own} itself" if own is not None else ""


def _options(coded: bytes) -> dict[int, bytes] | None:
    """Collect options; one that comes in parts is joined (RFC 3396). None when a length runs past the end."""
    options: dict[int, bytes] = {}
    offset = 0
    while offset < len(coded):
        code = coded[offset]
        if code == END:
            return options
        offset += 1
        if code == PAD:
            continue
        if offset >= len(coded) or offset + 1 + coded[offset] > len(coded):
            return None
        options[code] = options.get(code, b"") + coded[offset + 1 : offset + 1 + coded[offset]]
        offset += 1 + coded[offset]
    return options


def _routes(coded: bytes) -> tuple[IPv4Network, ...] | None:
    """Read destination descriptors (RFC 3442): width, significant octets, router. None when malformed."""
    return None if (found := list(_descriptors(coded))) and found[-1] is None else tuple(filter(None, found))


def _descriptors(coded: bytes) -> Iterator[IPv4Network | None]:
    offset = 0
    while offset < len(coded):
        width = coded[offset]
        significant = (width + 7) // 8
        end = offset + 1 + significant + 4
        if width > 32 or end > len(coded):
            yield None
            return
        octets = coded[offset + 1 : offset + 1 + significant].ljust(4, b"\0")
        yield IPv4Network((octets, width), strict=False)
        offset = end


def _addresses(coded: bytes) -> tuple[IPv4Address, ...]:
    return tuple(IPv4Address(coded[offset : offset + 4]) for offset in range(0, len(coded) - 3, 4))


def _domain(coded: bytes) -> str:
    text = coded.rstrip(b"\0").decode("ascii", "replace")
    labels = text.rstrip(".").split(".")
    legal = all(label and label.replace("-", "").isalnum() and len(label) <= 63 for label in labels)
    return text.rstrip(".") if legal and text.isascii() and len(text) <= 253 else ""
