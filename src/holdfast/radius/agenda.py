"""When which of many things is due: each change costs the logarithm of their number, the next moment nothing.

A heap with entries that are passed over once they no longer hold; it is made anew when most of them do not.
"""

import heapq
from typing import Generic, TypeVar

Name = TypeVar("Name", int, str)

SPARE = 64
"""Entries without meaning that are never worth the work of making the heap anew."""


class Agenda(Generic[Name]):
    """Moments by number or name. `now` on any monotonic scale, in seconds."""

    def __init__(self) -> None:
        self._moments: dict[Name, float] = {}
        self._heap: list[tuple[float, Name]] = []

    def __len__(self) -> int:
        """Return how many things have a moment."""
        return len(self._moments)

    def set(self, number: Name, at: float) -> None:
        """Let `number` be due at `at`, and no longer when it was before."""
        self._moments[number] = at
        heapq.heappush(self._heap, (at, number))
        if len(self._heap) > 2 * len(self._moments) + SPARE:
            self._heap = [(moment, one) for one, moment in self._moments.items()]
            heapq.heapify(self._heap)

    def drop(self, number: Name) -> None:
        """Forget `number`."""
        self._moments.pop(number, None)

    @property
    def deadline(self) -> float | None:
        """The first moment of all, or None."""
        while self._heap and self._moments.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[Name]:
        """Return what is due by now, the first first, and forget it."""
        found: list[Name] = []
        while (at := self.deadline) is not None and at <= now:
            number = heapq.heappop(self._heap)[1]
            del self._moments[number]
            found.append(number)
        return found
