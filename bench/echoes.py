"""LCP Echo-Requests as they arrive at the clients: how evenly they come.

The kernel stamps each packet, so that a busy processor at this end does not count as the gateway's jitter. Echoes are
LCP, which is never encrypted, and the two octets of framing are always there (RFC 1661 section 6.6).
"""

import socket
import statistics
import struct
import threading
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from holdfast._native import gre_parse

GRE = 47
SO_TIMESTAMPNS = 35
"""Socket option and ancillary message of asm-generic/socket.h: seconds and nanoseconds, 8 octets each."""
SO_RCVBUFFORCE = 33
STAMP = struct.Struct("@qq")
ECHO_REQUEST = b"\xff\x03\xc0\x21\x09"
BUFFER = 16 << 20


@dataclass(frozen=True, slots=True)
class Evenness:
    """How far the time between two Echo-Requests of a session was from the interval, in milliseconds."""

    pairs: int
    median: float
    most: float


def evenness(arrivals: dict[int, list[float]], interval: float) -> Evenness:
    """Judge arrival times (seconds), by call."""
    off = [abs(later - earlier - interval) * 1000 for times in arrivals.values() for earlier, later in pairwise(times)]
    return Evenness(len(off), statistics.median(off) if off else 0.0, max(off, default=0.0))


def echo_call(datagram: bytes) -> int | None:
    """Return the Call ID of a datagram (with its IP header) that is an Echo-Request, else None."""
    parsed = gre_parse(datagram[(datagram[0] & 15) * 4 :]) if datagram else None
    return parsed[0] if parsed and parsed[3].startswith(ECHO_REQUEST) else None


class EchoWatch:
    """Notes when each call's Echo-Requests arrive, as long as the block; in a thread of its own."""

    def __init__(self) -> None:
        self.arrivals: dict[int, list[float]] = defaultdict(list)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.settimeout(0.2)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                datagram, ancillary, _, _ = self._socket.recvmsg(2048, 64)
            except TimeoutError:
                continue
            if (call := echo_call(datagram)) is not None:
                seconds, nanoseconds = STAMP.unpack(ancillary[0][2])
                self.arrivals[call].append(seconds + nanoseconds / 1e9)
