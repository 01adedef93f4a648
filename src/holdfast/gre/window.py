"""Sequence and acknowledgment numbers of one call (RFC 2637 sections 4.2 and 4.3): the readable reference.

All numbers are 32-bit and wrap. A difference below 2**31 is "ahead", the rest is "behind".
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

MODULUS = 1 << 32
HALF = 1 << 31
MEMORY = 128
"""How many numbers, from the highest down, a receiver remembers one by one."""
REACH = 8192
"""How far ahead of the highest a number may be: no loss that a session survives is longer."""
RESTART_AFTER = 16
"""So many strays in a row, each the successor of the one before, mean that the peer went on from there."""


def ahead_of(number: int, reference: int) -> int:
    """Return how far `number` is ahead of `reference`; negative when it is behind."""
    difference = (number - reference) % MODULUS
    return difference if difference < HALF else difference - MODULUS


class Sequencing(StrEnum):
    """What a received number means."""

    NEXT = "next"
    """The first of the call, or the one after the highest."""
    AHEAD = "ahead"
    """Newer than expected: some before it are missing so far."""
    LATE = "late"
    """Older than the highest and not seen before."""
    DUPLICATE = "duplicate"
    STRAY = "stray"
    """Too far from the highest, behind or ahead, to be believed on its own."""


class Sequenced(NamedTuple):
    """A verdict, and for AHEAD how many numbers are missing before this one."""

    verdict: Sequencing
    missing: int = 0


class ReceiveWindow:
    """Which numbers came. Peers start at 0 or at 1, so the first one is taken as it is.

    Nothing tells a forged number from a real one, so one that is far off moves nothing. A steady run of them is a peer
    that started over, or was cut off for long, and is taken as the new truth.
    """

    __slots__ = ("_run", "_seen", "highest")

    def __init__(self) -> None:
        self.highest: int | None = None
        """The highest number so far: what to acknowledge. None: nothing came yet."""
        self._seen: set[int] = set()
        self._run: list[int] = []

    def accept(self, number: int) -> Sequenced:
        """Judge a number and remember it."""
        if self.highest is None:
            return self._restart(number)
        distance = ahead_of(number, self.highest)
        if 0 < distance <= REACH:
            return self._advance(number, distance)
        if distance > 0 or -distance >= MEMORY:
            return self._stray(number)
        self._run.clear()
        if number in self._seen:
            return Sequenced(Sequencing.DUPLICATE)
        self._seen.add(number)
        return Sequenced(Sequencing.LATE)

    def _restart(self, number: int) -> Sequenced:
        self.highest = number
        self._seen = {number}
        self._run.clear()
        return Sequenced(Sequencing.NEXT)

    def _advance(self, number: int, distance: int) -> Sequenced:
        self.highest = number
        self._seen = {old for old in self._seen if ahead_of(number, old) < MEMORY} | {number}
        self._run.clear()
        return Sequenced(Sequencing.NEXT) if distance == 1 else Sequenced(Sequencing.AHEAD, distance - 1)

    def _stray(self, number: int) -> Sequenced:
        if self._run and number != (self._run[-1] + 1) % MODULUS:
            self._run.clear()
        self._run.append(number)
        if len(self._run) < RESTART_AFTER:
            return Sequenced(Sequencing.STRAY)
        return self._restart(number)


class Reorderer:
    """Puts packets into order, holding at most `limit` of them while one is missing (RFC 2637 section 4.3 allows it).

    The caller bounds the waiting time: `release` gives up on what is missing.
    """

    __slots__ = ("_held", "_next", "_window", "limit")

    def __init__(self, limit: int = 32) -> None:
        self.limit = limit
        self._window = ReceiveWindow()
        self._next: int | None = None
        self._held: dict[int, bytes] = {}

    @property
    def held(self) -> int:
        """How many packets wait for an earlier one."""
        return len(self._held)

    def take(self, number: int, payload: bytes) -> list[bytes]:
        """Take a packet; return those that are now in order. Duplicates and what was given up on yield nothing."""
        verdict = self._window.accept(number).verdict
        if verdict in {Sequencing.DUPLICATE, Sequencing.STRAY}:
            return []
        started_over = verdict is Sequencing.NEXT and ahead_of(number, self._expected(number)) < 0
        flushed = self.release() if started_over else []
        if started_over:
            self._next = number
        if ahead_of(number, self._expected(number)) < 0:
            return flushed
        self._held[number] = payload
        flushed += self._in_order()
        while len(self._held) > self.limit:
            flushed += self._skip()
        return flushed

    def release(self) -> list[bytes]:
        """Give up on what is missing and return everything held, in order."""
        released: list[bytes] = []
        while self._held:
            released += self._skip()
        return released

    def _expected(self, number: int) -> int:
        if self._next is None:
            self._next = number
        return self._next

    def _skip(self) -> list[bytes]:
        base = self._next or 0
        self._next = min(self._held, key=lambda number: ahead_of(number, base))
        return self._in_order()

    def _in_order(self) -> list[bytes]:
        return list(self._drain())

    def _drain(self) -> Iterator[bytes]:
        while self._next is not None and self._next in self._held:
            yield self._held.pop(self._next)
            self._next = (self._next + 1) % MODULUS


class SendWindow:
    """What we sent and the peer acknowledged, with round-trip samples (RFC 2637 section 4.2.5).

    It never holds anything back: real peers acknowledge late, in bulk or not at all. At most `memory` unacknowledged
    numbers keep their time.
    """

    __slots__ = ("_memory", "_sent", "acknowledged", "next_number")

    def __init__(self, memory: int = 64) -> None:
        self.next_number = 0
        self.acknowledged: int | None = None
        """The highest number that the peer acknowledged; None: nothing yet (it says ffffffff)."""
        self._memory = memory
        self._sent: dict[int, float] = {}

    @property
    def outstanding(self) -> int:
        """How many numbers were sent and not acknowledged."""
        first = 0 if self.acknowledged is None else self.acknowledged + 1
        return (self.next_number - first) % MODULUS

    def send(self, now: float) -> int:
        """Return the number for a packet that is sent now."""
        number = self.next_number
        self.next_number = (number + 1) % MODULUS
        self._sent[number] = now
        if len(self._sent) > self._memory:
            del self._sent[next(iter(self._sent))]
        return number

    def acknowledge(self, number: int, now: float) -> float | None:
        """Take an acknowledgment; return the round-trip time of the packet it names, in seconds, if known.

        Numbers that were never sent, and those before the highest one acknowledged, change nothing.
        """
        first = 0 if self.acknowledged is None else self.acknowledged + 1
        if (number - first) % MODULUS >= (self.next_number - first) % MODULUS:
            return None
        self.acknowledged = number
        at = self._sent.get(number)
        self._sent = {sent: time for sent, time in self._sent.items() if ahead_of(sent, number) > 0}
        return None if at is None else now - at
