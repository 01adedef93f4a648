"""LCP Echo-Requests as they arrive at the clients: how evenly they come.

The kernel stamps each packet, so that a busy processor at this end does not count as the gateway's jitter. Echoes are
LCP, which is never encrypted, and the two octets of framing are always there (RFC 1661 section 6.6).
"""

import socket
import statistics
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from bench.stamps import Stamped
from holdfast._native import gre_parse

GRE = 47
ECHO_REQUEST = b"\xff\x03\xc0\x21\x09"


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


class EchoWatch(Stamped):
    """Notes when each call's Echo-Requests arrive, as long as the block; in a thread of its own."""

    def __init__(self) -> None:
        self.arrivals: dict[int, list[float]] = defaultdict(list)
        super().__init__(socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE), self._heard)

    def _heard(self, at: float, datagram: bytes, _source: object) -> None:
        if (call := echo_call(datagram)) is not None:
            self.arrivals[call].append(at)
