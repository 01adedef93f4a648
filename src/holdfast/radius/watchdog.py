"""Which connections to a server still live: the watchdog of RFC 3539 section 3.4, asked with Status-Server (RFC 5997).

A connection on which nothing was heard for a while is asked for a sign of life; one that gives none is to be closed. A
sign of life is a whole packet with the right signature: octets that drip in are none.
"""

from dataclasses import dataclass

Lane = tuple[int, int]
"""A server and one of the connections to it, both by number."""
QUIET = 30.0
"""Seconds without a word after which a connection is asked (Tw, RFC 3539 section 3.4.1)."""
PATIENCE = 10.0
"""Seconds in which it must answer."""


@dataclass(slots=True)
class _Watched:
    due: float
    asked: bool = False


class Watchdog:
    """Watches open connections. `now` on any monotonic scale."""

    def __init__(self, quiet: float = QUIET, patience: float = PATIENCE) -> None:
        self._quiet, self._patience = quiet, patience
        self._lanes: dict[Lane, _Watched] = {}

    def opened(self, lane: Lane, now: float) -> None:
        """A connection is there."""
        self._lanes[lane] = _Watched(now + self._quiet)

    def closed(self, lane: Lane) -> None:
        """A connection is gone."""
        self._lanes.pop(lane, None)

    def heard(self, lane: Lane, now: float) -> None:
        """The server said something on it."""
        if lane in self._lanes:
            self._lanes[lane] = _Watched(now + self._quiet)

    @property
    def deadline(self) -> float | None:
        """When `due` must be called next, or None."""
        return min((one.due for one in self._lanes.values()), default=None)

    def due(self, now: float) -> tuple[list[Lane], list[Lane]]:
        """Return the connections to be asked, and those that gave no answer and are to be closed."""
        ask: list[Lane] = []
        close: list[Lane] = []
        for lane, watched in self._lanes.items():
            if now < watched.due:
                continue
            (close if watched.asked else ask).append(lane)
            watched.asked, watched.due = True, now + self._patience
        return ask, close
