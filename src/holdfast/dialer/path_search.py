"""How big a packet the path to the server carries, both ways: a search with LCP echoes of growing size. Pure.

    start --> LADDER --every rung judged--> a finer LADDER --...--> done          LADDER --the top answers--> done

A ladder is a handful of Echo-Requests (RFC 1661 section 5.8) of growing size, none of which may be fragmented, sent
together. The answer to one shows that its size passes there and, as a reply has the request's data, back. Echoes get
lost by chance too: what is not answered is asked again, and counts as too big when `TRIES` went unanswered. The next
ladder stands between the biggest that passes and the smallest that does not (what RFC 4821 calls search_low and
search_high), until they are `GRAIN` apart. Sizes are octets of the PPP information field.

A server may send less back than it got: pppd cuts a reply to the MRU that it was told, which is right, and some send
none of the data. Then only the way there is known. The way back may also fragment the reply: whoever hears the
fragments says so with `fragmented`.
"""

from dataclasses import asdict, dataclass
from typing import Any

FLOOR = 556
"""Octets: with everything around it an IPv4 packet of 596, a little more than what every host takes (RFC 791)."""
RUNGS = 8
TRIES = 3
PATIENCE = 0.5
"""Seconds that an answer may take beyond twice the known round trip."""
GRAIN = 4
IDENTIFIERS = 256


@dataclass(frozen=True, slots=True)
class Probe:
    """Send an Echo-Request of this size, unfragmented."""

    size: int
    identifier: int


@dataclass(frozen=True, slots=True)
class PathSize:
    """What passes: `size` octets, 0 when no echo was answered. `both_ways`: the way back is known to carry it too.

    `fragments_back`: the server's packets of that size are fragmented on their way; `limited`: more was wanted.
    """

    size: int
    both_ways: bool = True
    fragments_back: bool = False
    limited: bool = False


class PathSearch:
    """One search. Feed it with `answered` and `fragmented`, wait for `deadline`, drain `commands`, until `result`."""

    def __init__(self, wanted: int, mru: int, *, round_trip: float = 0.0, first_identifier: int = 0) -> None:
        """`wanted`: the size hoped for; `mru`: ours, to which the server may cut replies; `round_trip` in seconds."""
        self.deadline: float | None = None
        self.result: PathSize | None = None
        self._wanted, self._mru = wanted, mru
        self._patience = PATIENCE + 2 * round_trip
        self._identifier = first_identifier % IDENTIFIERS
        self._passed, self._limit = 0, wanted
        self._rungs: list[int] = []
        self._asked: dict[int, int] = {}
        self._tries = 0
        self._short = self._fragments = False
        self._commands: list[Probe] = []

    # --- verbs ---------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Send the first ladder."""
        if self.deadline is None and self.result is None:
            self._climb(min(FLOOR, self._wanted), now)

    def answered(self, identifier: int, size: int, now: float) -> None:
        """An Echo-Reply of `size` octets came."""
        asked = self._asked.pop(identifier, None)
        if asked is None or self.result is not None:
            return
        if size < min(asked, self._mru):
            self._short = True
        self._passed = max(self._passed, min(asked, self._limit))
        self._look(now)

    def fragmented(self, size: int, now: float) -> None:
        """A packet from the server came in fragments, of which the first would have held `size` octets."""
        if self.result is None and size < self._limit:
            self._fragments = True
            self._limit = max(size, min(FLOOR, self._wanted))
            self._passed = min(self._passed, self._limit)
            self._look(now)

    def handle_timer(self, now: float) -> None:
        """Ask again, or draw the conclusion."""
        if self.deadline is None or now < self.deadline:
            return
        if self._tries < TRIES and self._unanswered():
            self._ask(now)
        else:
            self._judge(now)

    def commands(self) -> list[Probe]:
        """Drain what must be sent, in order."""
        drained, self._commands = self._commands, []
        return drained

    # --- plain data ----------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        state = {name.lstrip("_"): value for name, value in vars(self).items() if name not in _NO_PLAIN_DATA}
        state["rungs"], state["asked"] = list(self._rungs), [list(pair) for pair in self._asked.items()]
        state["result"] = None if self.result is None else asdict(self.result)
        return state

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "PathSearch":
        """Continue from what `snapshot` returned."""
        machine = cls(state["wanted"], state["mru"])
        for name in vars(machine):
            if name not in _NO_PLAIN_DATA:
                setattr(machine, name, state[name.lstrip("_")])
        machine._asked = dict(state["asked"])
        machine.result = None if state["result"] is None else PathSize(**state["result"])
        return machine

    # --- inside --------------------------------------------------------------------------------------------

    def _climb(self, bottom: int, now: float) -> None:
        """Put up a ladder from `bottom` to the limit, both included."""
        span = self._limit - bottom
        count = min(RUNGS, span // GRAIN + 1)
        self._rungs = [bottom + span * rung // max(1, count - 1) for rung in range(count)]
        self._rungs[-1] = self._limit
        self._asked, self._tries = {}, 0
        self._ask(now)

    def _ask(self, now: float) -> None:
        """Send what is unanswered. Late answers to earlier tries still count."""
        self._tries += 1
        for size in self._unanswered():
            self._identifier = (self._identifier + 1) % IDENTIFIERS
            self._asked[self._identifier] = size
            self._commands.append(Probe(size, self._identifier))
        self.deadline = now + self._patience

    def _unanswered(self) -> list[int]:
        """A rung that passes speaks for all below it."""
        return [size for size in self._rungs if self._passed < size <= self._limit]

    def _look(self, now: float) -> None:
        """Conclude as soon as nothing is open."""
        if not self._unanswered():
            self._judge(now)

    def _judge(self, now: float) -> None:
        failed = self._unanswered()
        if failed and self._passed:
            self._limit = failed[0] - 1
        if not self._passed and failed:
            self._finish(0)
        elif self._limit - self._passed < GRAIN:
            self._finish(self._passed)
        else:
            self._climb(self._passed + GRAIN, now)

    def _finish(self, size: int) -> None:
        self.deadline = None
        both = not self._short and bool(size)
        self.result = PathSize(size, both, self._fragments, size < self._wanted)


_NO_PLAIN_DATA = frozenset({"_commands"})
