"""Which accounting records may go out now. No clock, no file, no socket: `now` is an argument, in seconds.

Records of one session go one after another; those of different sessions need not wait for each other, so up to `WINDOW`
are under way. What is said of the whole gateway (Accounting-On and -Off) goes when all before it has gone, and nothing
behind it goes before. Nothing is given up because servers are silent (RFC 2866 section 2 wants the client to go on with
some form of backoff), but one record that they never acknowledge, while they do others, is set aside: it is sent again
ever more rarely, and only its own session waits behind it, of whose updates the last one is kept (RFC 2869 section
2.1: "a single generation of an interim Accounting message").
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.policy.accounting_changes import Waiting

WINDOW = 16
"""Records under way at a time."""
SIDE = 4
"""And so many besides that went in vain while a server lived."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between rounds while no server takes anything."""
ROUNDS = 3
"""Rounds in vain, while a server lived, after which a record is set aside."""
SCOUT_ROUNDS = 6
"""Rounds in vain of Accounting-On or -Off after which one record behind it goes with each further round: servers that
do not know Status-Server (RFC 5997) show in no other way that they live."""
FIRST_REST, LONGEST_REST = 60.0, 600.0
"""Seconds between rounds of a record that is set aside."""
MOST_ASIDE = 1000
"""Records that are set aside, or on the way there; beyond it the oldest of them is given up."""
AHEAD = 256
"""Records that are kept in memory; the others wait on disk alone."""


@dataclass(slots=True)
class _Tried:
    """A record that went in vain. `rounds` in all, `refused` of them while a server lived; `due`: when it goes again.

    `scouted`: the round in which another one went beside it.
    """

    record: Waiting
    rounds: int = 0
    refused: int = 0
    scouted: int = 0
    rest: float = 0.0
    due: float = 0.0

    @property
    def aside(self) -> bool:
        return self.refused >= ROUNDS

    @property
    def beside(self) -> bool:
        """Whether it stands in nobody's way any more but its own session's."""
        return self.refused > 0 and (bool(self.record.session) or self.aside)


class Line:
    """Takes records in the order of their numbers, and says which goes next."""

    def __init__(self) -> None:
        self.last = 0
        """The highest number that was put in, or passed over."""
        self._ready: deque[Waiting] = deque()
        self._behind: dict[str, deque[Waiting]] = {}
        self._under_way: dict[int, Waiting] = {}
        self._tried: dict[int, _Tried] = {}
        self._aside: set[str] = set()
        self._pause = self._pause_until = 0.0
        self._superseded: list[int] = []

    # --- what is there -------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many records more may be put in."""
        parked = sum(len(waiting) for session, waiting in self._behind.items() if session not in self._aside)
        return max(0, AHEAD - len(self._ready) - parked)

    @property
    def aside(self) -> int:
        """How many records are set aside."""
        return sum(one.aside for one in self._tried.values())

    @property
    def silent(self) -> bool:
        """Whether no server takes anything."""
        return self._pause > 0

    def put(self, records: Iterable[Waiting]) -> None:
        """Append records."""
        for record in records:
            self._ready.append(record)
            self.last = record.number

    def superseded(self) -> list[int]:
        """Drain the numbers of updates that a later one makes superfluous."""
        drained, self._superseded = self._superseded, []
        return drained

    # --- what goes -----------------------------------------------------------------------------------------

    def next(self, now: float) -> Waiting | None:
        """Return a record that goes now; it is under way from then on."""
        record = self._again(now) or self._first(now)
        if record is not None:
            self._under_way[record.number] = record
            if record.session:
                self._behind.setdefault(record.session, deque())
        return record

    @property
    def deadline(self) -> float | None:
        """When a record goes that must wait now, unless something else happens before."""
        return min((one.due for one in self._tried.values() if one.record.number not in self._under_way), default=None)

    def _again(self, now: float) -> Waiting | None:
        """Return a record that went in vain and goes again."""
        full = sum(number in self._under_way for number, one in self._tried.items() if one.beside) >= SIDE
        for number, one in self._tried.items():
            if one.due <= now and number not in self._under_way and not (one.beside and full):
                return one.record
        return None

    def _first(self, now: float) -> Waiting | None:
        """Return the first record that waits for none before it."""
        unfinished = self._unfinished()
        barrier = next((one for one in unfinished if not one.session), None)
        if now < self._pause_until or len(unfinished) >= WINDOW or not self._may_pass(barrier):
            return None
        while self._ready:
            if not self._ready[0].session and unfinished:
                return None
            record = self._ready.popleft()
            if record.session not in self._behind:
                return record
            self._behind[record.session].append(record)
            self._thin_out(record.session)
        return None

    def _unfinished(self) -> list[Waiting]:
        """Return what is under way or goes again soon, without what stands in nobody's way."""
        first = [record for number, record in self._under_way.items() if number not in self._tried]
        return [*first, *(one.record for one in self._tried.values() if not one.beside)]

    def _may_pass(self, barrier: Waiting | None) -> bool:
        """Whether what waits behind Accounting-On or -Off may go: one with each round, when that goes on for long."""
        if barrier is None:
            return True
        tried = self._tried.get(barrier.number)
        if tried is None or tried.rounds < max(SCOUT_ROUNDS, tried.scouted + 1) or len(self._under_way) != 1:
            return False
        tried.scouted = tried.rounds
        return barrier.number in self._under_way

    def _thin_out(self, session: str) -> None:
        """Keep the last update of a session behind a record that is set aside."""
        if session in self._aside:
            waiting = self._behind[session]
            updates = [one.number for one in waiting if one.update_only][:-1]
            self._superseded += updates
            self._behind[session] = deque(one for one in waiting if one.number not in updates)

    # --- what came of it -----------------------------------------------------------------------------------

    def done(self, number: int) -> None:
        """A server has the record, or it is given up: the next one of its session may go."""
        self._pause = self._pause_until = 0.0
        for one in self._tried.values():
            if not one.refused:
                one.due = 0.0
        self._leave(number)

    def in_vain(self, number: int, now: float, *, alive: bool) -> tuple[bool, Waiting | None]:
        """No server took the record in a whole round, although (`alive`) one of them lives.

        Return whether it has just been set aside, and the record that must be given up for that.
        """
        record = self._under_way.pop(number, None)
        if record is None:
            return False, None
        tried = self._tried.setdefault(number, _Tried(record))
        tried.rounds, tried.refused = tried.rounds + 1, tried.refused + alive
        if tried.aside:
            first = not tried.rest
            tried.rest = min(max(tried.rest * 2, FIRST_REST), LONGEST_REST)
            tried.due = now + tried.rest
            if record.session:
                self._aside.add(record.session)
                self._thin_out(record.session)
            return first, self._too_many_aside()
        tried.due = now + (FIRST_PAUSE if alive else self._grow_pause(now))
        return False, self._too_many_aside()

    def forget(self, number: int) -> None:
        """The record is no longer on disk: there was no room for it."""
        if number in self._under_way or number in self._tried:
            return
        self._ready = deque(one for one in self._ready if one.number != number)
        for session, waiting in self._behind.items():
            self._behind[session] = deque(one for one in waiting if one.number != number)

    def _grow_pause(self, now: float) -> float:
        if now >= self._pause_until:
            self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
            self._pause_until = now + self._pause
        return self._pause_until - now

    def _too_many_aside(self) -> Waiting | None:
        beside = [one.record for one in self._tried.values() if one.beside]
        if len(beside) <= MOST_ASIDE:
            return None
        self._leave(beside[0].number)
        return beside[0]

    def _leave(self, number: int) -> None:
        record = self._under_way.pop(number, None)
        tried = self._tried.pop(number, None)
        left = record or (tried.record if tried else None)
        if left is not None:
            self._aside.discard(left.session)
            self._ready.extendleft(reversed(self._behind.pop(left.session, deque())))
