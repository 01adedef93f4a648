"""IPv4 packets that dialer and probes themselves send, and the answers they pick out (RFC 791, 768, 792)."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

ICMP, UDP = 1, 17
TIME_TO_LIVE = 64
DONT_FRAGMENT = 0x4000
MORE_OR_OFFSET = 0x3FFF
IPV4 = struct.Struct("!BBHHHBBH4s4s")
UDP_HEADER = struct.Struct("!4H")
ICMP_HEADER = struct.Struct("!BBHHH")
ECHO_REPLY, ECHO_REQUEST = 0, 8
UNREACHABLE, PORT_UNREACHABLE = 3, 3


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP datagram that arrived whole."""

    source: IPv4Address
    source_port: int
    destination_port: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class EchoReply:
    """An ICMP Echo-Reply that arrived whole."""

    source: IPv4Address
    identifier: int
    sequence: int


def udp_packet(source: IPv4Address, destination: IPv4Address, source_port: int, port: int, payload: bytes) -> bytes:
    """Return an IPv4 packet with one UDP datagram."""
    length = UDP_HEADER.size + len(payload)
    datagram = UDP_HEADER.pack(source_port, port, length, 0) + payload
    pseudo = source.packed + destination.packed + struct.pack("!BBH", 0, UDP, length)
    checksum = internet_checksum(pseudo + datagram) or 0xFFFF
    return _ipv4(source, destination, UDP, datagram[:6] + struct.pack("!H", checksum) + payload)


def echo_request(source: IPv4Address, destination: IPv4Address, identifier: int, sequence: int, size: int = 0) -> bytes:
    """Return an IPv4 packet with an ICMP Echo-Request and `size` octets of zeros, DF set."""
    return _ipv4(source, destination, ICMP, echo_message(identifier, sequence, size))


def echo_message(identifier: int, sequence: int, size: int = 0) -> bytes:
    """Return an ICMP Echo-Request with `size` octets of zeros, without an IP header (RFC 792)."""
    body = ICMP_HEADER.pack(ECHO_REQUEST, 0, 0, identifier, sequence) + bytes(size)
    checksum = struct.pack("!H", internet_checksum(body))
    return body[:2] + checksum + body[4:]


def read_datagram(packet: bytes) -> Datagram | None:
    """Read a UDP datagram out of an IPv4 packet; None for anything else."""
    parsed = _payload(packet, UDP)
    if parsed is None or len(parsed[1]) < UDP_HEADER.size:
        return None
    source, body = parsed
    source_port, port, length, _checksum = UDP_HEADER.unpack_from(body)
    if not UDP_HEADER.size <= length <= len(body):
        return None
    return Datagram(source, source_port, port, body[UDP_HEADER.size : length])


def read_echo_reply(packet: bytes) -> EchoReply | None:
    """Read an ICMP Echo-Reply out of an IPv4 packet; None for anything else."""
    parsed = _payload(packet, ICMP)
    if parsed is None or len(parsed[1]) < ICMP_HEADER.size:
        return None
    kind, code, _checksum, identifier, sequence = ICMP_HEADER.unpack_from(parsed[1])
    return EchoReply(parsed[0], identifier, sequence) if (kind, code) == (ECHO_REPLY, 0) else None


def read_closed_port(packet: bytes) -> tuple[IPv4Address, int] | None:
    """Read who says that a UDP port of his is closed, and our port, out of an IPv4 packet; None for anything else."""
    parsed = _payload(packet, ICMP)
    if parsed is None or parsed[1][:2] != bytes((UNREACHABLE, PORT_UNREACHABLE)):
        return None
    asked = parsed[1][ICMP_HEADER.size :]
    header = (asked[0] & 0x0F) * 4 if asked else 0
    if len(asked) < header + UDP_HEADER.size or header < IPV4.size or asked[9] != UDP:
        return None
    return parsed[0], int.from_bytes(asked[header : header + 2])


def internet_checksum(data: bytes) -> int:
    """Return the checksum of RFC 1071 over `data`, an odd octet padded with zero."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _ipv4(source: IPv4Address, destination: IPv4Address, protocol: int, body: bytes) -> bytes:
    length = IPV4.size + len(body)
    fields = (0x45, 0, length, 0, DONT_FRAGMENT, TIME_TO_LIVE, protocol)
    bare = IPV4.pack(*fields, 0, source.packed, destination.packed)
    return IPV4.pack(*fields, internet_checksum(bare), source.packed, destination.packed) + body


def _payload(packet: bytes, protocol: int) -> tuple[IPv4Address, bytes] | None:
    """Return source and payload of a whole IPv4 packet of this protocol."""
    if len(packet) < IPV4.size or packet[0] >> 4 != 4:
        return None
    _first, _tos, length, _id, fragment, _ttl, carried, _sum, source, _destination = IPV4.unpack_from(packet)
    header = (packet[0] & 0x0F) * 4
    if carried != protocol or fragment & MORE_OR_OFFSET or not IPV4.size <= header <= length <= len(packet):
        return None
    return IPv4Address(source), packet[header:length]
