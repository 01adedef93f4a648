"""Enhanced GRE (RFC 2637 section 4.1): readable, the reference for the Rust core.

`read_header` takes what a capture may have cut short; `parse` is what the data plane accepts. The reserved bits (strict
source route, Recur, Flags) are ignored by both, as a robust receiver does; `GreHeader.reserved_bits` shows them.
"""

from dataclasses import dataclass
from enum import StrEnum

PROTOCOL_TYPE = 0x880B
CHECKSUM_PRESENT = 0x8000
ROUTING_PRESENT = 0x4000
KEY_PRESENT = 0x2000
SEQUENCE_PRESENT = 0x1000
ACKNOWLEDGMENT_PRESENT = 0x0080
RESERVED = 0x0F78
VERSION_MASK = 0x0007
VERSION = 1
FIXED_SIZE = 8
MAX_HEADER_SIZE = 16


class GreFault(StrEnum):
    """Why octets are no enhanced GRE packet."""

    TRUNCATED = "truncated"
    VERSION = "not version 1"
    PROTOCOL = "protocol type is not 880b"
    CHECKSUM_OR_ROUTING = "checksum or routing present"
    NO_KEY = "key not present"
    PAYLOAD_CUT = "fewer octets than the payload length says"


@dataclass(frozen=True, slots=True)
class GreHeader:
    """One header. `call_id` is the receiver's; `size` the octets of the header itself."""

    flags: int
    payload_length: int
    call_id: int
    sequence: int | None
    acknowledgment: int | None
    size: int

    @property
    def reserved_bits(self) -> int:
        """The bits that RFC 2637 wants zero, in place."""
        return self.flags & RESERVED

    @property
    def unnumbered(self) -> bool:
        """Whether it carries a payload without a sequence number, which no PPTP peer sends but attacks do."""
        return self.sequence is None and self.payload_length > 0


@dataclass(frozen=True, slots=True)
class GrePacket:
    """A packet. `call_id` is the receiver's; without payload it only acknowledges."""

    call_id: int
    sequence: int | None = None
    acknowledgment: int | None = None
    payload: bytes = b""

    @property
    def unnumbered(self) -> bool:
        """Whether it carries a payload without a sequence number: to be dropped and counted."""
        return self.sequence is None and bool(self.payload)


def read_header(octets: bytes) -> GreHeader | GreFault:
    """Read the header at the front of `octets`, whether or not the payload is all there."""
    if len(octets) < 4:
        return GreFault.TRUNCATED
    flags = int.from_bytes(octets[0:2], "big")
    fault = _judge_flags(flags, int.from_bytes(octets[2:4], "big"))
    if fault is not None:
        return fault
    sequence_at = FIXED_SIZE
    acknowledgment_at = sequence_at + (4 if flags & SEQUENCE_PRESENT else 0)
    size = acknowledgment_at + (4 if flags & ACKNOWLEDGMENT_PRESENT else 0)
    if len(octets) < size:
        return GreFault.TRUNCATED
    return GreHeader(
        flags=flags,
        payload_length=int.from_bytes(octets[4:6], "big"),
        call_id=int.from_bytes(octets[6:8], "big"),
        sequence=_number(octets, sequence_at) if flags & SEQUENCE_PRESENT else None,
        acknowledgment=_number(octets, acknowledgment_at) if flags & ACKNOWLEDGMENT_PRESENT else None,
        size=size,
    )


def _judge_flags(flags: int, protocol_type: int) -> GreFault | None:
    if flags & VERSION_MASK != VERSION:
        return GreFault.VERSION
    if protocol_type != PROTOCOL_TYPE:
        return GreFault.PROTOCOL
    if flags & (CHECKSUM_PRESENT | ROUTING_PRESENT):
        return GreFault.CHECKSUM_OR_ROUTING
    return None if flags & KEY_PRESENT else GreFault.NO_KEY


def _number(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 4], "big")


def read(octets: bytes) -> GrePacket | GreFault:
    """Read a whole packet or say what is wrong with it. Octets beyond the payload length are padding."""
    header = read_header(octets)
    if isinstance(header, GreFault):
        return header
    end = header.size + header.payload_length
    if end > len(octets):
        return GreFault.PAYLOAD_CUT
    return GrePacket(header.call_id, header.sequence, header.acknowledgment, bytes(octets[header.size : end]))


def parse(octets: bytes) -> GrePacket | None:
    """Read a whole packet; None for anything else."""
    packet = read(octets)
    return None if isinstance(packet, GreFault) else packet


def build(packet: GrePacket) -> bytes:
    """Build the octets of a packet. ValueError when the payload has more than 65535 octets or a number does not fit."""
    flags = KEY_PRESENT | VERSION
    numbers = b""
    for number, flag in ((packet.sequence, SEQUENCE_PRESENT), (packet.acknowledgment, ACKNOWLEDGMENT_PRESENT)):
        if number is not None:
            flags |= flag
            numbers += _octets(number, 4)
    key = _octets(len(packet.payload), 2) + _octets(packet.call_id, 2)
    return _octets(flags, 2) + _octets(PROTOCOL_TYPE, 2) + key + numbers + packet.payload


def _octets(number: int, size: int) -> bytes:
    if not 0 <= number < 1 << 8 * size:
        raise ValueError(f"{number} does not fit into {size} octets")
    return number.to_bytes(size, "big")
