"""From the lines of a log to its sessions and what is wrong with each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.capture.findings.base import Finding, Severity, Towards
from holdfast.capture.findings.catalogue import entries
from holdfast.capture.logs.lines import Line, Side, octets_in, read_line, side_of
from holdfast.capture.logs.patterns import (
    BEGIN,
    LOSSES,
    OLD,
    PATTERNS,
    UP,
    USER,
    WINDOWS,
    WINDOWS_MEANINGS,
)
from holdfast.errors import HoldfastError
from holdfast.ppp.termination import WINDOWS_MARK

SESSIONS_MOST = 10_000
LINES_MOST = 5
"""Line numbers named for one finding."""
LOSSES_LEAST = 3


@dataclass(slots=True)
class Told:
    """One meaning, and the lines that tell it."""

    certainty: float
    words: str
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class LogSession:
    """What one log says about one connection."""

    first: int
    processes: set[str] = field(default_factory=set)
    side: Side = Side.UNKNOWN
    user: str = ""
    up: bool = False
    told: dict[str, Told] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    old: list[int] = field(default_factory=list)

    def tell(self, finding: str, certainty: float, words: str, number: int) -> None:
        """Remember what a line means."""
        told = self.told.setdefault(finding, Told(certainty, words))
        if len(told.lines) < LINES_MOST:
            told.lines.append(number)

    def findings(self) -> list[tuple[Finding, list[int]]]:
        """Return the findings with their line numbers, most important first, consequences left out."""
        catalogue = entries()
        explained = {word for cause in self.told for word in catalogue[cause].explains}
        found = []
        for word, told in self.told.items():
            if word in explained:
                continue
            towards = Towards(catalogue_direction(word))
            finding = catalogue[word].found(f"The log says: {told.words}", certainty=told.certainty, towards=towards)
            found.append((finding, told.lines))
        return sorted(found, key=lambda each: each[0].order())

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, findings as `diagnose` has them and their line numbers."""
        findings = [{**finding.as_data(), "lines": lines} for finding, lines in self.findings()]
        return {"line": self.first, "user": self.user, "side": self.side.value, "up": self.up, "findings": findings}


def catalogue_direction(word: str) -> str:
    """Return the direction that an id names, empty when it names none."""
    return {"gre-missing-from-server": "server-to-client", "gre-missing-from-client": "client-to-server"}.get(word, "")


def read_log(path: Path) -> list[LogSession]:
    """Read a log. HoldfastError when it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return sessions_of(file)
    except OSError as error:
        raise HoldfastError(f"it cannot be read: {error.strerror}", where=str(path)) from None


def sessions_of(texts: Iterable[str]) -> list[LogSession]:
    """Group lines into sessions and find out what they mean."""
    sessions: list[LogSession] = []
    for number, text in enumerate(texts, 1):
        line = read_line(number, text)
        if line is not None:
            _take(sessions, line)
    for session in sessions:
        _count_losses(session)
    return [session for session in sessions if session.told or session.up]


def _take(sessions: list[LogSession], line: Line) -> None:
    session = _session(sessions, line)
    if session is None:
        return
    side = side_of(line.program)
    session.side = side if side is not Side.UNKNOWN else session.side
    session.up = session.up or bool(UP.search(line.message))
    if found := USER.search(line.message):
        session.user = found[1]
    for meaning, certainty, words in _meanings(line, session.side):
        session.tell(meaning, certainty, words, line.number)
    if found := LOSSES.search(line.message):
        session.lost.append(int(found[1]) - int(found[2]))
    if found := OLD.search(line.message):
        session.old.append(int(found[2]) - int(found[1]))


def _session(sessions: list[LogSession], line: Line) -> LogSession | None:
    """The session of a line: by its process, else the newest; begun anew where the words say so."""
    key = f"{line.program}[{line.process}]" if line.process else ""
    if not sessions or BEGIN.search(line.message):
        if len(sessions) >= SESSIONS_MOST:
            return None
        sessions.append(LogSession(line.number))
    known = next((each for each in reversed(sessions[-64:]) if key and key in each.processes), sessions[-1])
    if BEGIN.search(line.message):
        known = sessions[-1]
    if key:
        known.processes.add(key)
    return known


def _meanings(line: Line, side: Side) -> Iterator[tuple[str, float, str]]:
    code = _code(line.message)
    if code in WINDOWS_MEANINGS:
        meaning, certainty = WINDOWS_MEANINGS[code]
        yield meaning, certainty, f"Windows error {code}"
        return
    for pattern in PATTERNS:
        if found := pattern.words.search(line.message):
            yield pattern.meaning(side), pattern.certainty, found[0][:120]
            return


def _code(message: str) -> int:
    """The Windows error in a line: in words, or in the octets of a Terminate packet as pppd prints them."""
    if found := WINDOWS.search(message):
        return int(found[1])
    if "term" not in message.lower():
        return 0
    for octets in octets_in(message):
        at = octets.find(WINDOWS_MARK)
        if at >= 0 and len(octets) >= at + 8:
            return int.from_bytes(octets[at + 4 : at + 8])
    return 0


def _count_losses(session: LogSession) -> None:
    """Single reordered packets are life; many are a finding. An old packet far behind is another program's."""
    if len(session.lost) >= LOSSES_LEAST:
        words = f"{len(session.lost)} times a packet was missing or came too early"
        session.tell("gre-loss", 0.7, words, session.first)
    if len([behind for behind in session.old if behind > 1000]) >= LOSSES_LEAST:
        session.tell(
            "replay", 0.5, "packets long past come again, as from a second program with this call", session.first
        )


def worst(sessions: list[LogSession]) -> Severity | None:
    """Return the worst severity of all findings."""
    found = [finding.severity for session in sessions for finding, _ in session.findings()]
    return min(found, key=lambda severity: severity.rank, default=None)
