"""From the lines of a log to its sessions and what is wrong with each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from holdfast.capture.findings.base import Severity
from holdfast.capture.logs.lines import Line, Side, octets_in
from holdfast.capture.logs.opening import open_log
from holdfast.capture.logs.patterns import (
    ANY,
    CALL_IDS,
    CLIENT,
    END,
    LOSSES,
    MARKS,
    OLD,
    PATTERNS,
    PROGRAMS,
    STEP,
    UP,
    USER,
    WINDOWS,
    WINDOWS_MEANINGS,
    Sieve,
)
from holdfast.capture.logs.reading import lines_of, plain_lines
from holdfast.capture.logs.sessions import LOSSES_LEAST, LogSession, Sessions, shown
from holdfast.capture.logs.when import Clock
from holdfast.ppp.termination import WINDOWS_MARK

PROBES_LEAST = 10
PATIENCE_NS = (25_000_000_000, 45_000_000_000)
"""How long a pppd at the other end tries before it gives up: ten times three seconds, and what the rest takes."""
AT_ONCE_NS = 3_000_000_000


@dataclass
class Log:
    """A log that was read. `notes` say what limits it."""

    name: str
    sessions: list[LogSession]
    notes: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        sessions = [session.as_data() for session in self.sessions]
        return {"name": self.name, "notes": self.notes, "sessions": sessions}


def read_log(name: str) -> Log:
    """Read a log; `-` is standard input. HoldfastError when it cannot be read."""
    text = open_log(name)
    clock = Clock(text.newest)
    grouped = Sessions(name)
    sessions = _judge(lines_of(text, clock), grouped)
    notes = [*text.notes, *clock.notes()]
    if grouped.omitted:
        notes.append(
            f"{grouped.omitted} lines belong to sessions beyond the first {len(grouped.all)} and were left out"
        )
    return Log(name, sessions, notes)


def sessions_of(texts: Iterable[str]) -> list[LogSession]:
    """Group lines into sessions and find out what they mean."""
    return _judge(plain_lines(texts, Clock(0.0)), Sessions())


def worst(sessions: Iterable[LogSession]) -> Severity | None:
    """Return the worst severity of all findings."""
    found = [finding.severity for session in sessions for finding, _ in session.findings()]
    return min(found, key=lambda severity: severity.rank, default=None)


def _judge(lines: Iterator[Line], grouped: Sessions) -> list[LogSession]:
    probes: list[Line] = []
    sieve = Sieve()
    for line in lines:
        if line.program not in PROGRAMS and not line.program.isdecimal():
            continue
        if line.structured or sieve.lets_through(line.message):
            _take(grouped, line, probes)
        else:
            grouped.pass_by(line)
    for session in grouped:
        _conclude(session)
    _count_probes(grouped, probes)
    return [session for session in grouped if session.told or session.up]


def _take(grouped: Sessions, line: Line, probes: list[Line]) -> None:
    if line.program == "accel-ppp" and not line.process and line.message == "disconnected":
        probes.append(line)
        return
    session = grouped.of(line)
    if session is None:
        return
    session.live(line)
    if not line.structured:
        _search(session, line)
    for meaning, certainty, words in line.told or _meanings(line, session.side):
        session.tell(meaning, certainty, words, line)
        session.say(line, meaning)
        return
    if line.begins or line.up or line.structured or STEP.search(line.message):
        session.say(line)


def _search(session: LogSession, line: Line) -> None:
    """Look for names, addresses and steps in the words."""
    message = line.message
    session.up = session.up or bool(UP.search(message))
    session.over = session.over or bool(END.search(message))
    if found := USER.search(message):
        session.user = found[1]
    if found := CLIENT.search(message):
        session.client = session.client or found[1]
    for pattern in CALL_IDS:
        if found := pattern.search(message):
            session.call_ids = (int(found["client"]) & 0xFFFF, int(found["server"]) & 0xFFFF)
    for mark, words in MARKS.items():
        if words.search(message):
            session.marks.setdefault(mark, line.when)
    if LOSSES.search(message):
        session.lose(line)
    if found := OLD.search(message):
        session.old.append(int(found[2]) - int(found[1]))


def _meanings(line: Line, side: Side) -> Iterator[tuple[str, float, str]]:
    if line.structured:
        return
    code = _code(line.message)
    if code in WINDOWS_MEANINGS:
        meaning, certainty = WINDOWS_MEANINGS[code]
        yield meaning, certainty, f"Windows error {code}"
        return
    if not ANY.search(line.message):
        return
    for pattern in PATTERNS:
        if pattern.words.search(line.message):
            yield pattern.meaning(side), pattern.certainty, shown(line.message)
            return


def _code(message: str) -> int:
    """The Windows error in a line: in words, or in the octets of a Terminate packet as pppd prints them.

    Zero, which stands for a normal end there, is -1 here.
    """
    if found := WINDOWS.search(message):
        return int(found[1])
    if "term" not in message.lower():
        return 0
    for octets in octets_in(message):
        at = octets.find(WINDOWS_MARK)
        if at >= 0 and len(octets) >= at + 8:
            return int.from_bytes(octets[at + 4 : at + 8]) or -1
    return 0


def _conclude(session: LogSession) -> None:
    """What no single line says."""
    marks, here = session.marks, Line(session.first, session.begun, "", "", "")
    _count_losses(session, here)
    if session.told or session.up:
        _not_encrypted(session, here)
        return
    if session.side is Side.SERVER and "hangup" in marks and _between(marks, "connect", "hangup", PATIENCE_NS):
        words = "the server's pppd started, was never answered or never heard, and the client hung up after 30 s"
        session.tell("gre-missing-from-server", 0.5, words, here)
    elif (
        {"call", "pppd-died"} <= set(marks)
        and "connect" not in marks
        and _between(marks, "call", "pppd-died", (0, AT_ONCE_NS))
    ):
        session.tell("server-link-died", 0.75, "pppd ended before it began", here)
    elif "authenticated" in marks and "terminating" in marks and "mikrotik" in session.programs:
        words = "authenticated, and terminated before any encryption or address: the PPP profiles do not fit"
        session.tell("link-closed-early", 0.6, words, here)
    elif "server-left" in marks and ("connect" in marks or session.call_ids[0] is not None):
        words = "the server ended the call before the link was up; its own log of that second says why"
        session.tell("stopped-early", 0.5, words, here)


def _between(marks: dict[str, int | None], first: str, last: str, limits: tuple[int, int]) -> bool:
    """Whether so much time passed; a log without times gets the benefit of the doubt where that is at once."""
    begin, end = marks.get(first), marks.get(last)
    if begin is None or end is None:
        return limits[0] == 0
    return limits[0] <= end - begin <= limits[1]


def _not_encrypted(session: LogSession, here: Line) -> None:
    if session.up and "no-ccp" in session.marks and "mppe" not in session.marks and not session.told:
        words = "the peer rejected CCP and the session went on: nothing is encrypted"
        session.tell("cleartext-data", 0.7, words, here)


def _count_losses(session: LogSession, here: Line) -> None:
    """An old packet far behind is another program's."""
    if session.lossy:
        words = f"{session.losses} times packets were missing or came too early, several times within a minute"
        session.tell("gre-loss", 0.7, words, here)
    if len([behind for behind in session.old if behind > 1000]) >= LOSSES_LEAST:
        words = "packets long past come again, as from a second program with this call"
        session.tell("replay", 0.5, words, here)


def _count_probes(grouped: Sessions, probes: list[Line]) -> None:
    """accel-ppp says `disconnected` and no more when somebody only opened the port and went."""
    if len(probes) < PROBES_LEAST:
        return
    session = LogSession(probes[0].number, grouped.all[0].log if grouped.all else "", side=Side.SERVER)
    session.live(probes[0])
    words = f"{len(probes)} connections that ended without a word, as port scans do"
    session.tell("not-pptp", 0.7, words, probes[0])
    grouped.all.append(session)
