"""A UDP socket that answers from the address at which it was asked, however many addresses this host has.

Bound to all addresses, a socket lets the route to the asker choose whose name stands on the answer; an asker takes an
answer from the address that it asked, and no other (RFC 2865 section 3).
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

IP_PKTINFO = 8
"""ip(7), on Linux; Python 3.11 has no name for it."""
PACKET_INFO = struct.Struct("@i4s4s")
"""Interface, our address to answer from, the destination in the header."""
LARGEST = 4096
"""Octets of a datagram that are looked at."""
AT_A_TIME = 64
"""Datagrams before the loop's other work has its turn."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked: address and port; `local`: which of our addresses, in four octets."""

    address: tuple[str, int]
    local: bytes


class AnsweringSocket:
    """Tells `taken` of each datagram, on the running event loop. OSError when it cannot be bound."""

    def __init__(self, address: str, port: int, taken: Callable[[bytes, Asker], None]) -> None:
        self._loop, self._taken = asyncio.get_running_loop(), taken
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            self._socket.bind((address, port))
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._readable)

    def send(self, octets: bytes, asker: Asker) -> None:
        """Answer. Whom nothing reaches asks again, or does not."""
        source = PACKET_INFO.pack(0, asker.local, bytes(4))
        with contextlib.suppress(OSError):
            self._socket.sendmsg([octets], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, asker.address)

    def close(self) -> None:
        """Close the socket."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(AT_A_TIME):
            try:
                octets, extra, _, address = self._socket.recvmsg(LARGEST, socket.CMSG_SPACE(PACKET_INFO.size))
            except OSError:  # there is nothing more, or the host tells that an answer did not arrive
                return
            local = next((PACKET_INFO.unpack(data)[1] for _, kind, data in extra if kind == IP_PKTINFO), bytes(4))
            self._taken(octets, Asker(address, local))
            if self._socket.fileno() < 0:  # closed by whoever took it
                return
