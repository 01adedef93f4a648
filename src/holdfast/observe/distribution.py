"""How often values were how large, for what is measured and is no event: counted here, read at a scrape."""

from bisect import bisect_left
from dataclasses import dataclass

PATH_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds: round trips and jitter, from a machine nearby to a satellite."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution at one moment: bounds as text with how many values did not exceed them, and their sum."""

    buckets: tuple[tuple[str, int], ...] = (("+Inf", 0),)
    total: float = 0.0


class Distribution:
    """Counts of values by upper bounds that rise, and beyond."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...] = PATH_BOUNDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> Spread:
        """Return everything so far, as Prometheus wants it: each bound counts all that lies below."""
        below, buckets = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            below += count
            buckets.append((bound, below))
        return Spread(tuple(buckets), self._total)
