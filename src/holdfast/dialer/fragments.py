"""Hears the fragments in which a server's GRE arrives: the engine's socket gets only whole packets, put together.

A fragment tells how much the narrowest link on the way here carries. Needs CAP_NET_RAW.
"""

import contextlib
import ctypes
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

from holdfast.dataplane.interface import WHOLE_OVERHEAD

GRE = 47
ETH_P_IP = 0x0800
SO_ATTACH_FILTER = 26
MORE_FRAGMENTS, OFFSET = 0x2000, 0x1FFF
HEADER = 20
MOST_WAITING = 64
"""Fragments looked at in one go: a flood of them is no news."""

LOAD_BYTE, LOAD_HALF, LOAD_WORD = 0x30, 0x28, 0x20
JUMP_EQUAL, JUMP_SET, RETURN = 0x15, 0x45, 0x06
"""Classic BPF, as linux/filter.h and bpf_common.h number it."""


class FragmentEar:
    """Listens to one server, until `close`."""

    def __init__(self, server: IPv4Address) -> None:
        """OSError when packet sockets are not allowed."""
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_IP))
        program = only_fragments(server)
        octets = b"".join(struct.pack("HBBI", *step) for step in program)
        buffer = ctypes.create_string_buffer(octets, len(octets))  # the kernel copies it
        what = struct.pack("HP", len(program), ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, what)
        self.smallest()  # whatever came before the filter

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def smallest(self) -> int | None:
        """Return the information field, in octets, of the biggest LCP frame that would have come whole.

        None when no packet in fragments has come since it was asked last.
        """
        sizes = [size for packet in self._waiting() if (size := first_fragment(packet)) is not None]
        return max(0, min(sizes) - WHOLE_OVERHEAD) if sizes else None

    def _waiting(self) -> Iterator[bytes]:
        with contextlib.suppress(OSError):
            for _ in range(MOST_WAITING):
                yield self._socket.recv(HEADER)


def first_fragment(packet: bytes) -> int | None:
    """Return the octets of the whole IPv4 packet when it is the first fragment of one, else None."""
    if len(packet) < HEADER or packet[9] != GRE:
        return None
    place = int.from_bytes(packet[6:8])
    if not place & MORE_FRAGMENTS or place & OFFSET:
        return None
    return int.from_bytes(packet[2:4])


def only_fragments(server: IPv4Address) -> list[tuple[int, int, int, int]]:
    """Return the filter, (code, jump if true, jump if false, operand) each: fragments of GRE from `server`."""
    return [
        (LOAD_BYTE, 0, 0, 9),
        (JUMP_EQUAL, 0, 5, GRE),
        (LOAD_HALF, 0, 0, 6),
        (JUMP_SET, 0, 3, MORE_FRAGMENTS | OFFSET),
        (LOAD_WORD, 0, 0, 12),
        (JUMP_EQUAL, 0, 1, int(server)),
        (RETURN, 0, 0, HEADER),
        (RETURN, 0, 0, 0),
    ]
