"""Two clocks brought together by what both saw: how far the server's is ahead, and how much faster it runs.

What is seen at both ends cannot arrive before it was sent. So the smallest difference of one direction and the largest
of the other enclose the offset; half way between them is the best guess when both ways take the same time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

DRIFT_SPAN = 20.0
"""Seconds that must be seen in common before a clock can be called fast or slow."""
DRIFT_SIGHTINGS = 6
DRIFT_LEAST, DRIFT_MOST = 1e-6, 0.01
"""A clock is called fast or slow from one part in a million on; beyond one in a hundred it is no clock."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The same frame at both ends; times in nanoseconds of each capture's own clock."""

    at_client: int
    at_server: int
    up: bool

    @property
    def difference(self) -> float:
        """Seconds by which the server's time is ahead of the client's, the way included."""
        return (self.at_server - self.at_client) / 1e9


@dataclass(frozen=True, slots=True)
class Clocks:
    """How the server's clock relates to the client's."""

    offset: float
    """Seconds by which the server's is ahead at `since`."""
    drift: float
    """Seconds that it gains in each second; negative when it loses."""
    since: int
    """Nanoseconds of the client's clock."""
    round_trip: float | None
    """The shortest way there and back in seconds; None when frames of one direction only are in both captures."""

    def at_server(self, at_client: int) -> float:
        """Return the server's time in nanoseconds for a time of the client's."""
        return at_client + (self.offset + self.drift * (at_client - self.since) / 1e9) * 1e9

    def at_client(self, at_server: int) -> float:
        """Return the client's time in nanoseconds for a time of the server's."""
        rough = at_server - self.offset * 1e9
        return rough - self.drift * (rough - self.since)


def align(sightings: Iterable[Sighting]) -> Clocks | None:
    """Bring two clocks together; None when nothing was seen by both."""
    seen = sorted(sightings, key=lambda each: each.at_client)
    if not seen:
        return None
    since = seen[0].at_client
    drift = _drift(seen)

    def straightened(each: Sighting) -> float:
        return each.difference - drift * (each.at_client - since) / 1e9

    least = min((straightened(each) for each in seen if each.up), default=None)
    most = max((straightened(each) for each in seen if not each.up), default=None)
    if least is not None and most is not None:
        return Clocks((least + most) / 2, drift, since, max(least - most, 0.0))
    only = least if least is not None else most
    return Clocks(only if only is not None else 0.0, drift, since, None)


def _drift(seen: Sequence[Sighting]) -> float:
    """The slope that both directions agree on; 0 when they do not, as a queue that fills looks like a slow clock."""
    slopes = []
    for up, best in ((True, min), (False, max)):
        slope = _slope([each for each in seen if each.up is up], best)
        if slope is not None:
            slopes.append(slope)
    if len(slopes) < 2 or min(slopes) * max(slopes) <= 0:
        return 0.0
    drift = min(slopes, key=abs)
    return drift if DRIFT_LEAST <= abs(drift) <= DRIFT_MOST else 0.0


def _slope(seen: Sequence[Sighting], best: Callable[..., Sighting]) -> float | None:
    """How the smallest (or largest) difference moves from the first third of the time to the last."""
    if len(seen) < DRIFT_SIGHTINGS or seen[-1].at_client - seen[0].at_client < DRIFT_SPAN * 1e9:
        return None
    third = (seen[-1].at_client - seen[0].at_client) // 3
    early = [each for each in seen if each.at_client <= seen[0].at_client + third]
    late = [each for each in seen if each.at_client >= seen[-1].at_client - third]
    first, last = (best(part, key=lambda each: each.difference) for part in (early, late))
    return (last.difference - first.difference) / ((last.at_client - first.at_client) / 1e9)
