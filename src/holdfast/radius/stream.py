"""RADIUS packets out of a stream (RFC 6613 section 2.6.1): the length in each header says where the next begins."""

from holdfast.radius.packet import HEADER_SIZE, LARGEST
from holdfast.wire.errors import MalformedError

PREFIX = 4
"""Octets up to and with the length."""


class PacketStream:
    """Octets in, packets out. Holds at most one packet that is not whole yet."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octets: bytes) -> list[bytes]:
        """Return the packets that are whole now. MalformedError for a length that cannot be: all is lost then."""
        data, packets, at = self._held + octets, [], 0
        while len(data) - at >= PREFIX:
            length = int.from_bytes(data[at + 2 : at + PREFIX])
            if not HEADER_SIZE <= length <= LARGEST:
                raise MalformedError(f"a RADIUS packet of {length} octets in the stream")
            if len(data) - at < length:
                break
            packets.append(data[at : at + length])
            at += length
        self._held = data[at:]
        return packets
