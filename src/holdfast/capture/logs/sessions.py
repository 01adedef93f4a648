"""One connection as a log tells it, and how lines find their connection."""

import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from holdfast.capture.findings.base import Finding, Towards
from holdfast.capture.findings.catalogue import entries
from holdfast.capture.logs.lines import Line, Side, side_of
from holdfast.capture.logs.patterns import BEGIN, CONSEQUENCES
from holdfast.capture.moment import iso

SESSIONS_MOST = 10_000
KEYS_MOST = 20_000
LINES_MOST = 5
"""Line numbers named for one finding."""
LOSSES_LEAST, MINUTE_NS = 3, 60_000_000_000
SAID_MOST = 40
"""Lines of one connection shown on a time line."""
WORDS_MOST = 160
"""Characters of a line that are shown."""
NEAR = 64
"""So many connections back a line without a name may belong to."""
BY_INTERFACE = frozenset({"accel-ppp", "mikrotik"})
"""Programs that name an interface, which is soon used again, instead of a process."""
PPPD, PPTPD = "pppd", frozenset({"pptpd", "pptpctrl"})
TOWARDS = {"gre-missing-from-server": Towards.CLIENT, "gre-missing-from-client": Towards.SERVER}


@dataclass(slots=True)
class Told:
    """One meaning, and the lines that tell it."""

    certainty: float
    words: str
    lines: list[int] = field(default_factory=list)
    when: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A line worth showing. `finding` is what it means, empty for a step on the way."""

    number: int
    when: int | None
    program: str
    words: str
    finding: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        time = None if self.when is None else iso(self.when)
        return {"line": self.number, "time": time, "program": self.program, "text": self.words, "finding": self.finding}


@dataclass(slots=True)
class LogSession:
    """What one log says about one connection. Times in nanoseconds since 1970."""

    first: int
    log: str = ""
    processes: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    side: Side = Side.UNKNOWN
    user: str = ""
    client: str = ""
    call_ids: tuple[int | None, int | None] = (None, None)
    """Of the client and of the server, as `diagnose` names them."""
    begun: int | None = None
    ended: int | None = None
    up: bool = False
    over: bool = False
    told: dict[str, Told] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    losses: int = 0
    lossy: bool = False
    """Whether packets were missing several times within a minute."""
    lost: deque[int | None] = field(default_factory=lambda: deque(maxlen=LOSSES_LEAST))
    """When packets were missing last."""
    old: list[int] = field(default_factory=list)
    marks: dict[str, int | None] = field(default_factory=dict)
    """Steps that later lines are judged by, with their time."""

    def tell(self, finding: str, certainty: float, words: str, line: Line) -> None:
        """Remember what a line means."""
        told = self.told.setdefault(finding, Told(certainty, words, when=line.when))
        if certainty > told.certainty:
            told.certainty, told.words = certainty, words
        if len(told.lines) < LINES_MOST:
            told.lines.append(line.number)

    def say(self, line: Line, finding: str = "") -> None:
        """Put a line on the time line."""
        if len(self.said) < SAID_MOST or finding:
            self.said.append(Said(line.number, line.when, line.program, shown(line.message), finding))

    def lose(self, line: Line) -> None:
        """Count a line about packets that are missing. A few in many hours are life; several in a minute are not."""
        self.losses += 1
        self.lost.append(line.when)
        first, last = self.lost[0], self.lost[-1]
        near = first is None or last is None or last - first <= MINUTE_NS
        self.lossy = self.lossy or (len(self.lost) == LOSSES_LEAST and near)

    def live(self, line: Line) -> None:
        """Remember what a line says of the connection itself."""
        self.processes |= {_key(line)} if line.process else set()
        self.programs.add(line.program)
        side = side_of(line.program)
        self.side = side if side is not Side.UNKNOWN else self.side
        self.user = line.user or self.user
        self.client = self.client or line.client
        ours, new = self.call_ids, line.call_ids
        self.call_ids = (ours[0] if new[0] is None else new[0], ours[1] if new[1] is None else new[1])
        self.up = self.up or line.up
        if line.when is not None:
            self.begun = line.when if self.begun is None else min(self.begun, line.when)
            self.ended = line.when if self.ended is None else max(self.ended, line.when)

    def findings(self) -> list[tuple[Finding, list[int]]]:
        """Return the findings with their line numbers, most important first, consequences left out."""
        catalogue = entries()
        explained = {word for cause in self.told if cause in catalogue for word in catalogue[cause].explains}
        explained |= {word for cause in self.told for word in CONSEQUENCES.get(cause, ())}
        found = []
        for word, told in self.told.items():
            if word in explained or word not in catalogue:
                continue
            towards = TOWARDS.get(word, Towards.NONE)
            why = f"The log says: {told.words}"
            found.append((catalogue[word].found(why, certainty=told.certainty, towards=towards), told.lines))
        return sorted(found, key=lambda each: each[0].order())

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, findings as `diagnose` has them and their line numbers."""
        findings = [{**finding.as_data(), "lines": lines} for finding, lines in self.findings()]
        return {
            "line": self.first,
            "user": self.user,
            "client": self.client,
            "side": self.side.value,
            "up": self.up,
            "started": None if self.begun is None else iso(self.begun),
            "ended": None if self.ended is None else iso(self.ended),
            "call_ids": {"client": self.call_ids[0], "server": self.call_ids[1]},
            "said": [said.as_data() for said in self.said],
            "findings": findings,
        }


_SECRETS = re.compile(r"(\b(?:password|secret)\s?=\s?)(?:\"[^\"]*\"|\S+)|(\b[SC]=)[0-9A-Fa-f]{8,}", re.IGNORECASE)


def shown(words: str) -> str:
    """Return what of a line may be shown: its beginning, without passwords, challenges and proofs in it."""
    clean = _SECRETS.sub(lambda found: (found[1] or found[2]) + "***", words[:400])
    return clean if len(clean) <= WORDS_MOST else f"{clean[:WORDS_MOST]}..."


def _key(line: Line) -> str:
    return f"{line.program}[{line.process}]"


class Sessions:
    """All connections of one log, in the order in which they began. `omitted` are those beyond what is kept."""

    def __init__(self, log: str = "") -> None:
        self.all: list[LogSession] = []
        self.omitted = 0
        self._log = log
        self._known: OrderedDict[str, LogSession] = OrderedDict()

    def of(self, line: Line) -> LogSession | None:
        """Return the connection of a line, begun anew where the words say so; None beyond `SESSIONS_MOST`."""
        begins = line.begins or (not line.structured and bool(BEGIN.search(line.message)))
        session = None if begins and line.program != PPPD else self._named(line) or self._adopter(line)
        if session is not None and line.program == PPPD and line.message.startswith("Connect:"):
            session = None if "connect" in session.marks else session  # it dials again
        if session is None:
            session = self._begin(line)
        if session is not None and line.process:
            self._known[_key(line)] = session
            self._known.move_to_end(_key(line))
            if len(self._known) > KEYS_MOST:
                self._known.popitem(last=False)
        return session

    def pass_by(self, line: Line) -> None:
        """Take a line that says no more than who wrote it, and that its connection was alive then."""
        known = self._known.get(_key(line)) if line.process else None
        if known is None and line.process and side_of(line.program) is not Side.UNKNOWN:
            known = self.of(line)
        if known is not None:
            known.live(line)

    def _begin(self, line: Line) -> LogSession | None:
        if len(self.all) >= SESSIONS_MOST:
            self.omitted += 1
            return None
        self.all.append(LogSession(line.number, self._log))
        return self.all[-1]

    def _named(self, line: Line) -> LogSession | None:
        known = self._known.get(_key(line)) if line.process else None
        if known is not None and line.program in BY_INTERFACE and known.over:
            return self._adopter(line) or known
        return known

    def _adopter(self, line: Line) -> LogSession | None:
        """The newest connection that still lacks what this line is about."""
        near = islice(reversed(self.all), NEAR)
        return next((session for session in near if self._may_adopt(session, line)), None)

    def _may_adopt(self, session: LogSession, line: Line) -> bool:
        program = line.program
        if not line.process:
            return not program or program in session.programs or program in ("kernel", "log", "warn")
        if program in BY_INTERFACE:
            same = bool(line.user) and line.user == session.user and not session.over
            return program in session.programs and (not session.processes or same)
        if program == PPPD:
            return PPPD not in session.programs and not session.programs <= {"windows", "holdfast", "nps", "radiusd"}
        if program in PPTPD:
            return not session.programs & PPTPD and session.side is not Side.CLIENT and PPPD in session.programs
        return session.side is not Side.SERVER and bool(session.programs & {PPPD, program, ""})

    def __iter__(self) -> Iterator[LogSession]:
        return iter(self.all)
