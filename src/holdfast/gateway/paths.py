"""Round trip, jitter and throughput: through the tunnel as LCP echoes see it, and beside it as TCP sees it.

Both lead to the same client. What the tunnel has more than the control connection is what GRE, PPP and the client's
own work cost; where both are slow, the network is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.dataplane.interface import Counters
from holdfast.network.tcp_info import TcpPath
from holdfast.observe.distribution import Distribution

if TYPE_CHECKING:
    from holdfast.gateway.subscriber import Subscriber

GAIN = 16.0
"""Jitter is smoothed as RFC 3550 section 6.4.1 does."""


@dataclass(slots=True)
class TunnelPath:
    """What is known of one session's way through the tunnel. Seconds; bits a second since the look before."""

    round_trip: float = 0.0
    change: float | None = None
    """By how much the last round trip differed from the one before."""
    jitter: float | None = None
    bits_in: float = 0.0
    bits_out: float = 0.0
    _echoes: int = 0
    _at: float | None = None
    _octets: tuple[int, int] = (0, 0)

    def look(self, counters: Counters, now: float) -> bool:
        """Take what the engine has counted; return whether there is a new round trip."""
        self._throughput(counters, now)
        if counters.echoes_answered == self._echoes or not counters.round_trip_time:
            return False
        before, self.round_trip = self.round_trip, counters.round_trip_time
        self._echoes = counters.echoes_answered
        if before:
            self.change = abs(self.round_trip - before)
            jitter = self.jitter or 0.0
            self.jitter = jitter + (self.change - jitter) / GAIN
        return True

    def _throughput(self, counters: Counters, now: float) -> None:
        octets = counters.bytes_in, counters.bytes_out
        if self._at is not None and now > self._at:
            self.bits_in, self.bits_out = (
                8 * (new - old) / (now - self._at) for new, old in zip(octets, self._octets, strict=True)
            )
        self._at, self._octets = now, octets


class PathMeter:
    """The distributions over all sessions, ended ones included."""

    def __init__(self) -> None:
        self.tunnel, self.tunnel_jitter = Distribution(), Distribution()
        self.control, self.control_jitter = Distribution(), Distribution()
        self.retransmits = 0
        """Segments that were sent again on control connections."""

    def look(self, subscriber: "Subscriber", counters: Counters, now: float) -> None:
        """Look at a session's tunnel; of the echoes since the look before, the last one counts."""
        path = subscriber.path
        if path.look(counters, now):
            self.tunnel.observe(path.round_trip)
            if path.change is not None:
                self.tunnel_jitter.observe(path.change)

    def control_heard(self, path: TcpPath, before: TcpPath) -> None:
        """A control connection brought something, and with it a new measurement."""
        self.control_ended(path, before)
        if path.round_trip:
            self.control.observe(path.round_trip)
            self.control_jitter.observe(path.deviation)

    def control_ended(self, path: TcpPath, before: TcpPath) -> None:
        """Count what was sent again since the measurement before."""
        self.retransmits += max(0, path.retransmits - before.retransmits)


def described(subscriber: "Subscriber", counters: Counters) -> dict[str, Any]:
    """Return how the paths to a client are, as plain data; None where nothing was measured."""
    tunnel, direct = subscriber.path, subscriber.connection.path()
    return {
        "tunnel_round_trip": counters.round_trip_time or None,
        "tunnel_jitter": tunnel.jitter,
        "direct_round_trip": direct.round_trip or None,
        "direct_jitter": direct.deviation if direct.round_trip else None,
        "control_retransmits": direct.retransmits,
        "bits_in": round(tunnel.bits_in),
        "bits_out": round(tunnel.bits_out),
    }
