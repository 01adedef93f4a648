"""What a packet is about, as far as sorting needs it: quick, and never wrong about lengths."""

import struct
from ipaddress import ip_address
from typing import NamedTuple

from holdfast.control.codes import CONTROL_PORT
from holdfast.watch.bpf import FRAGMENT, GRE, ICMP, ICMPV6, IPV4, IPV6, PPPOE, QINQ, TCP, VLAN

FIN, SYN, RST = 1, 2, 4
COOKIE = b"\x1a\x2b\x3c\x4d"
OUTGOING_CALL_REQUEST, OUTGOING_CALL_REPLY, INCOMING_CALL_REPLY = 7, 8, 10
"""Control Message Types that tell Call IDs (RFC 2637 sections 2.7, 2.8, 2.10)."""
STOPPED = frozenset({4, 13})
"""Stop-Control-Connection-Reply and Call-Disconnect-Notify: the end is near."""
_PORTS = struct.Struct("!HHIIBB")
_CALL = struct.Struct("!HHHH")
_FLAGS = struct.Struct("!HHHH")


class Seen(NamedTuple):
    """One packet. Addresses are packed; `ip` begins at the IP header, `at` is where what it carries begins in it."""

    protocol: int
    source: bytes
    destination: bytes
    ip: bytes
    at: int
    fragment: bool = False
    """A later fragment: what it carries begins in the middle."""

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """Both addresses, in the same order for both directions."""
        return (self.source, self.destination) if self.source < self.destination else (self.destination, self.source)


class Segment(NamedTuple):
    """A TCP segment of a control connection: the message's type in `kind`, and the Call IDs that it tells in `calls`.

    `calls` are Call ID and Peer's Call ID or None.
    """

    from_client: bool
    client: tuple[bytes, int]
    server: tuple[bytes, int]
    flags: int
    kind: int
    calls: tuple[int, int | None] | None


def look(ether_type: int, octets: bytes) -> Seen | None:
    """Find the IP packet in what a packet socket gave; None when there is none."""
    start = 0
    for _ in range(3):
        if ether_type in (VLAN, QINQ):
            ether_type, start = int.from_bytes(octets[start + 2 : start + 4]), start + 4
        elif ether_type == PPPOE:
            inner = int.from_bytes(octets[start + 6 : start + 8])
            ether_type, start = {0x21: IPV4, 0x57: IPV6}.get(inner, 0), start + 8
    ip = octets[start:] if start else octets
    if ether_type == IPV4:
        return _version_4(ip)
    return _version_6(ip) if ether_type == IPV6 else None


def _version_4(ip: bytes) -> Seen | None:
    if len(ip) < 20 or ip[0] >> 4 != 4:
        return None
    at = (ip[0] & 0x0F) * 4
    if at < 20 or len(ip) < at:
        return None
    later = bool(int.from_bytes(ip[6:8]) & 0x1FFF)
    return Seen(ip[9], ip[12:16], ip[16:20], ip, at, later)


def _version_6(ip: bytes) -> Seen | None:
    if len(ip) < 40 or ip[0] >> 4 != 6:
        return None
    protocol, at, later = ip[6], 40, False
    if protocol == FRAGMENT and len(ip) >= 48:
        protocol, at, later = ip[40], 48, bool(int.from_bytes(ip[42:44]) & 0xFFF8)
    return Seen(protocol, ip[8:24], ip[24:40], ip, at, later)


def segment(seen: Seen, port: int = CONTROL_PORT) -> Segment | None:
    """Take a TCP segment apart; None unless it goes to or comes from that port."""
    if seen.protocol != TCP or seen.fragment or len(seen.ip) < seen.at + 20:
        return None
    source, destination, _, _, offset, flags = _PORTS.unpack_from(seen.ip, seen.at)
    if port not in (source, destination):
        return None
    from_client = destination == port
    ends = ((seen.source, source), (seen.destination, destination))
    client, server = ends if from_client else ends[::-1]
    kind, calls = _message(seen.ip[seen.at + (offset >> 4) * 4 :])
    return Segment(from_client, client, server, flags, kind, calls)


def _message(payload: bytes) -> tuple[int, tuple[int, int | None] | None]:
    """Return the Control Message Type at the front of a segment (0: none), and the Call IDs that it tells."""
    if len(payload) < 16 or payload[4:8] != COOKIE:
        return 0, None
    kind, _, call_id, peer = _CALL.unpack_from(payload, 8)
    if kind == OUTGOING_CALL_REQUEST:
        return kind, (call_id, None)
    return kind, (call_id, peer) if kind in (OUTGOING_CALL_REPLY, INCOMING_CALL_REPLY) else None


def call_id(seen: Seen) -> int | None:
    """Return the receiver's Call ID of an enhanced GRE packet; None for other GRE."""
    if len(seen.ip) < seen.at + 8:
        return None
    flags, kind, _, number = _FLAGS.unpack_from(seen.ip, seen.at)
    return number if flags & 0x2007 == 0x2001 and kind == 0x880B else None


def quoted(seen: Seen) -> Seen | None:
    """Return the packet that an ICMP error is about; None when it quotes none of ours."""
    if seen.protocol not in (ICMP, ICMPV6) or seen.fragment:
        return None
    inner = seen.ip[seen.at + 8 :]
    found = _version_4(inner) if seen.protocol == ICMP else _version_6(inner)
    return found if found is not None and found.protocol in (TCP, GRE) else None


def text(address: bytes) -> str:
    """Return an address for people."""
    return str(ip_address(address))
