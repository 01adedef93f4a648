"""What the kernel knows of a TCP connection: its path, and how it ended.

The path is TCP_INFO of tcp(7), `struct tcp_info` in linux/tcp.h.
"""

import errno
import socket
import struct
from dataclasses import dataclass
from typing import Protocol

from holdfast.errors import ControlEnd

_FACTS = struct.Struct("=68x 2I 24x I")
"""tcpi_rtt, tcpi_rttvar (microseconds), tcpi_total_retrans: offsets that have stood since Linux 2.6."""


@dataclass(frozen=True, slots=True)
class TcpPath:
    """Smoothed round trip and its mean deviation in seconds (RFC 6298), 0 before the first measurement, and how many
    segments were sent again, those of the handshake included."""

    round_trip: float = 0.0
    deviation: float = 0.0
    retransmits: int = 0


class HasOptions(Protocol):
    """A socket, or what asyncio shows of one."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """Return an option of the socket."""


def tcp_path(connection: HasOptions | None) -> TcpPath:
    """Return what is known of the path; nothing of what is no TCP connection of ours any more."""
    if connection is None:
        return TcpPath()
    try:
        octets = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _FACTS.size)
    except OSError:
        return TcpPath()
    if len(octets) < _FACTS.size:
        return TcpPath()
    round_trip, deviation, retransmits = _FACTS.unpack(octets)
    # Before the first measurement the deviation is the guess of 250 ms that the first timeout is made of.
    return TcpPath(round_trip / 1e6, deviation / 1e6 if round_trip else 0.0, retransmits)


_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ECONNREFUSED)


def tcp_end(error: BaseException | None, *, end_of_file: bool) -> ControlEnd:
    """Return how a connection ended: by an error, or by the peer's FIN (`end_of_file`), or else by ourselves."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ECONNRESET, errno.EPIPE):
        return ControlEnd.RST
    if number == errno.ETIMEDOUT:
        return ControlEnd.TIMEOUT
    if number in _UNREACHABLE:
        return ControlEnd.UNREACHABLE
    return ControlEnd.FIN if end_of_file else ControlEnd.LOCAL
