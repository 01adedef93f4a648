"""What deciphered packets say: who talks to whom inside the tunnel, and who gets no answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from holdfast.capture.inside import InnerPacket, Inside
from holdfast.capture.moment import Moment

ICMP, TCP, UDP = 1, 6, 17
SYN, ACK = 2, 16
ECHO_REQUEST, ECHO_REPLY = 8, 0
DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Inner:
    """An IPv4 packet taken apart. Ports are 0 where there are none; `flags` are TCP's, or the ICMP type."""

    moment: Moment
    up: bool
    source: IPv4Address
    destination: IPv4Address
    protocol: int
    source_port: int
    destination_port: int
    flags: int
    segment_size: int | None
    """The MSS option of a SYN."""

    @property
    def wants_answer(self) -> bool:
        """Whether the far side should answer: a SYN, a ping or a question to a name server, to one address."""
        if self.destination.is_multicast or self.destination == IPv4Address("255.255.255.255"):
            return False
        opening = self.protocol == TCP and self.flags & (SYN | ACK) == SYN
        asking = self.protocol == UDP and self.destination_port == DNS_PORT
        return opening or asking or (self.protocol == ICMP and self.flags == ECHO_REQUEST)

    def answers(self, other: "Inner") -> bool:
        """Whether this goes back the way that `other` came."""
        ports = (self.source_port, self.destination_port) == (other.destination_port, other.source_port)
        ends = (self.source, self.destination) == (other.destination, other.source)
        return self.up != other.up and self.protocol == other.protocol and ends and ports


def take_apart(inside: Inside) -> list[Inner]:
    """Return the IPv4 packets in order."""
    return [found for packet in inside.packets if (found := _inner(packet)) is not None]


def unanswered(packets: list[Inner]) -> Iterator[Inner]:
    """Yield what wanted an answer and got none."""
    answered = {_key(packet, turned=True) for packet in packets}
    yield from (packet for packet in packets if packet.wants_answer and _key(packet, turned=False) not in answered)


def _key(packet: Inner, *, turned: bool) -> tuple[object, ...]:
    here, there = (packet.source, packet.source_port), (packet.destination, packet.destination_port)
    ends = (there, here) if turned else (here, there)
    return (packet.up != turned, packet.protocol, *ends)


def _inner(packet: InnerPacket) -> Inner | None:
    octets = packet.octets
    header = (octets[0] & 0x0F) * 4
    if octets[0] >> 4 != 4 or len(octets) < header + 8 or header < 20:
        return None
    protocol, rest = octets[9], octets[header:]
    ported = protocol in (TCP, UDP)
    tcp = protocol == TCP and len(rest) >= 20
    return Inner(
        packet.moment,
        packet.up,
        IPv4Address(octets[12:16]),
        IPv4Address(octets[16:20]),
        protocol,
        int.from_bytes(rest[:2]) if ported else 0,
        int.from_bytes(rest[2:4]) if ported else 0,
        rest[13] if tcp else rest[0] if protocol == ICMP else 0,
        _segment_size(rest) if tcp and rest[13] & SYN else None,
    )


def _segment_size(tcp: bytes) -> int | None:
    options = tcp[20 : (tcp[12] >> 4) * 4]
    at = 0
    while at < len(options) and options[at] != 0:
        size = 1 if options[at] == 1 else options[at + 1] if at + 1 < len(options) else 0
        if size == 0:
            return None
        if options[at] == 2 and size == 4:
            return int.from_bytes(options[at + 2 : at + 4])
        at += size
    return None
