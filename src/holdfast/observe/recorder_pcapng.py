"""Writing pcapng (draft-ietf-opsawg-pcapng): one section, one interface, packets with comments."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

SECTION_HEADER, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, ENHANCED_PACKET = 0x0A0D0D0A, 1, 5, 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
UNKNOWN_SECTION_LENGTH = -1
LINKTYPE_RAW = 101
"""Packets begin with their IP header."""
OPT_END, OPT_COMMENT, SHB_USERAPPL, IF_NAME, ISB_IFDROP = 0, 1, 4, 2, 5
LONGEST_TEXT = 60_000
"""Octets of one option: its length field has 16 bits."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as captured. `time` in seconds since 1970, `original` its length before anything was cut off."""

    time: float
    octets: bytes
    original: int
    comment: str = ""


def header(comment: str, interface: str, snapshot_length: int = 0) -> bytes:
    """Return what a file begins with. `snapshot_length` 0: packets are not cut by their length."""
    section = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, UNKNOWN_SECTION_LENGTH)
    section += _options((OPT_COMMENT, comment), (SHB_USERAPPL, "holdfast"))
    description = struct.pack("<HHI", LINKTYPE_RAW, 0, snapshot_length) + _options((IF_NAME, interface))
    return _block(SECTION_HEADER, section) + _block(INTERFACE_DESCRIPTION, description)


def packet_block(packet: Packet) -> bytes:
    """Return the block of one packet."""
    stamp = int(packet.time * 1_000_000)
    body = struct.pack(
        "<IIIII",
        0,
        stamp >> 32 & 0xFFFFFFFF,
        stamp & 0xFFFFFFFF,
        len(packet.octets),
        max(packet.original, len(packet.octets)),
    )
    return _block(ENHANCED_PACKET, body + _padded(packet.octets) + _options((OPT_COMMENT, packet.comment)))


def statistics_block(dropped: int) -> bytes:
    """Return the block that says how many packets are missing in the file, so that no reader takes them for lost."""
    option = struct.pack("<HHQHH", ISB_IFDROP, 8, dropped, OPT_END, 0)
    return _block(INTERFACE_STATISTICS, struct.pack("<III", 0, 0, 0) + option)


def write(comment: str, interface: str, packets: Iterable[Packet]) -> bytes:
    """Return a whole file."""
    return header(comment, interface) + b"".join(map(packet_block, packets))


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _options(*options: tuple[int, str]) -> bytes:
    written = b""
    for code, text in options:
        value = text.encode("utf-8", "backslashreplace")[:LONGEST_TEXT]
        if value:
            written += struct.pack("<HH", code, len(value)) + _padded(value)
    return written + struct.pack("<HH", OPT_END, 0) if written else b""


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)
