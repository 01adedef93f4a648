"""Write deciphered packets as a pcapng of raw IP."""

import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from holdfast.capture.inside import InnerPacket
from holdfast.errors import HoldfastError

SECTION, INTERFACE, ENHANCED = 0x0A0D0D0A, 1, 6
RAW_IP = 101
RESOLUTION_OPTION, NANOSECONDS = 9, 9
COMMENT_OPTION = 1


def write(path: Path, packets: Iterable[InnerPacket]) -> int:
    """Write packets, readable by the owner alone; return how many. HoldfastError when that cannot be done."""
    count = 0
    try:
        with _private(path) as out:
            out.write(_block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
            resolution = _option(RESOLUTION_OPTION, bytes((NANOSECONDS,)))
            out.write(_block(INTERFACE, struct.pack("<HHI", RAW_IP, 0, 0) + resolution + bytes(4)))
            for packet in packets:
                out.write(_packet(packet))
                count += 1
    except OSError as error:
        raise HoldfastError(f"the capture cannot be written: {error.strerror}", where=str(path)) from None
    return count


def _private(path: Path) -> BinaryIO:
    """Open a file anew; one that was there loses the rights of others, before anything is in it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")


def _packet(packet: InnerPacket) -> bytes:
    units = packet.moment.nanoseconds & 0xFFFFFFFFFFFFFFFF
    size = len(packet.octets)
    head = struct.pack("<IIIII", 0, units >> 32, units & 0xFFFFFFFF, size, size)
    comment = f"from frame {packet.moment.frame}".encode()
    return _block(ENHANCED, head + _padded(packet.octets) + _option(COMMENT_OPTION, comment) + bytes(4))


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
