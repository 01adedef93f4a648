"""Tunnel packets that arrive in pieces, and routers that say that ours are too big.

A raw socket delivers packets put together again, so that nothing in the packet engine can know. This packet socket
hears them before; the kernel filters, so that it costs nothing while nothing is cut. What is sent in pieces the
engine counts itself.
"""

import ctypes
import socket
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

GRE, ICMP = 47, 1
ETH_P_IP = 0x0800
SO_ATTACH_FILTER = 26
SOL_PACKET, PACKET_STATISTICS = 263, 6
"""linux/if_packet.h, asm-generic/socket.h."""
SNAP = 128
"""Octets of a packet that are looked at."""
BUFFER = 256 * 1024
MOST = 500
"""Packets read in one look, more than the buffer holds."""

_LD_B, _LD_H, _LD_H_X, _LD_B_X, _LDX_IHL = 0x30, 0x28, 0x48, 0x50, 0xB1
_JEQ, _JSET, _AND, _RET = 0x15, 0x45, 0x54, 0x06

FILTER = (
    (_LD_B, 0, 0, 9),  # protocol
    (_JEQ, 0, 3, GRE),
    (_LD_H, 0, 0, 6),  # flags and fragment offset
    (_AND, 0, 0, 0x3FFF),
    (_JEQ, 8, 9, 0x2000),  # more fragments, and offset 0: the first piece, which alone has the GRE header
    (_JEQ, 0, 8, ICMP),
    (_LD_H, 0, 0, 6),
    (_JSET, 6, 0, 0x1FFF),
    (_LDX_IHL, 0, 0, 0),
    (_LD_H_X, 0, 0, 0),  # type and code: destination unreachable, fragmentation needed (RFC 792)
    (_JEQ, 0, 3, 0x0304),
    (_LD_B_X, 0, 0, 8 + 9),  # protocol of the packet that it is about
    (_JEQ, 0, 1, GRE),
    (_RET, 0, 0, SNAP),
    (_RET, 0, 0, 0),
)
"""Classic BPF on an IPv4 packet: code, jump if true, jump if false, operand."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The first piece of a GRE packet. `size`: its octets, so no network on its way carried more than a little more."""

    source: str
    call_id: int
    size: int


@dataclass(frozen=True, slots=True)
class TooBig:
    """A router said that a GRE packet to `peer` is too big for a network with this MTU (0: it did not say)."""

    router: str
    peer: str
    call_id: int
    mtu: int


Sight = Piece | TooBig


class FragmentWatch:
    """The socket. OSError when it cannot be had; needs CAP_NET_RAW.

    `missed` counts what came so fast that it was not kept: it is in no look.
    """

    def __init__(self) -> None:
        self.missed = 0
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_IP))
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            _attach(self._socket)
            self._drain()
        except OSError:
            self._socket.close()
            raise

    def look(self) -> Counter[Sight]:
        """Return what came since the last look, with how often."""
        seen: Counter[Sight] = Counter()
        for _ in range(MOST):
            try:
                packet = self._socket.recv(SNAP)
            except BlockingIOError:
                break
            sight = parse(packet)
            if sight is not None:
                seen[sight] += 1
        statistics = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self.missed += int(struct.unpack("=II", statistics)[1])
        return seen

    def _drain(self) -> None:
        """Throw away what came before there was a filter."""
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(1)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


def parse(packet: bytes) -> Sight | None:
    """Read an IPv4 packet that passed the filter; None when it is shorter than it should be."""
    try:
        header = (packet[0] & 15) * 4
        source = socket.inet_ntoa(packet[12:16])
        if packet[9] == GRE:
            return Piece(source, _call_id(packet, header), struct.unpack_from("!H", packet, 2)[0])
        about = header + 8
        peer = socket.inet_ntoa(packet[about + 16 : about + 20])
        (mtu,) = struct.unpack_from("!H", packet, header + 6)
        return TooBig(source, peer, _call_id(packet, about + (packet[about] & 15) * 4), mtu)
    except (IndexError, struct.error, OSError):
        return None


def _call_id(packet: bytes, gre: int) -> int:
    """RFC 2637 section 4.1: the low half of the key is the receiver's Call ID."""
    return int(struct.unpack_from("!H", packet, gre + 6)[0])


def _attach(sock: socket.socket) -> None:
    code = b"".join(struct.pack("=HBBI", *line) for line in FILTER)
    kept = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(FILTER), ctypes.addressof(kept))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
