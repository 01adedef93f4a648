"""A capture and logs of the same time: which session is which, by how much the clocks differ, and what both say.

The same fact seen twice is surer, not two facts; and the log often says why where the wire, behind encryption, cannot.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.findings.catalogue import Judgement
from holdfast.capture.findings.view import hidden
from holdfast.capture.logs.judge import Log
from holdfast.capture.logs.sessions import LogSession
from holdfast.capture.moment import iso
from holdfast.capture.session import Session

NEVER = -100
WINDOW = 2.5
"""Seconds within which two differences of clocks are the same: logs count whole seconds, and programs start late."""
APART = 15.0
"""Seconds by which a session may begin in the log before or after it begins on the wire, clocks set right."""
PAIRS_MOST = 250_000
ZONE = 900.0
"""Time zones differ by multiples of so many seconds."""
GENERAL: dict[str, frozenset[str]] = {
    "gre-missing": frozenset(
        {"gre-missing-from-server", "gre-missing-from-client", "gre-icmp-unreachable", "nat-without-helper"}
        | {"server-link-died", "gre-lost"}
    ),
    "lcp-unanswered": frozenset({"gre-missing-from-server", "gre-missing-from-client", "call-id-collision"}),
    "control-filtered": frozenset({"control-refused", "network-unreachable", "gre-missing-from-server"}),
    "mppe-refused": frozenset({"mppe-unavailable", "mppe-strength-mismatch", "mppe-mode-mismatch"}),
    "auth-rejected": frozenset(
        {"auth-hours", "auth-disabled", "auth-expired", "auth-no-permission", "auth-method-mismatch", "eap-unsupported"}
        | {"server-password-differs", "radius-timeout", "auth-mutual-failed"}
    ),
    "auth-unanswered": frozenset({"radius-timeout", "auth-rejected"}),
    "control-lost": frozenset({"dead-peer", "network-unreachable"}),
}
"""What says less than another finding of the other source, and is left out beside it."""
HARMLESS = frozenset({"healthy", "stopped-early"})
"""What is only said when there is nothing else to say."""


@dataclass
class Match:
    """One session in both. `how` says by what they were recognised."""

    session: Session
    told: LogSession
    how: str


@dataclass
class Together:
    """Logs beside a capture. `offsets`: by log, how many seconds its clock is ahead of the capture's; None unknown."""

    logs: list[Log]
    offsets: dict[str, float | None] = field(default_factory=dict)
    matches: dict[str, list[Match]] = field(default_factory=dict)
    """By session of the capture; a session may be in the logs of both ends."""

    def sentence(self, log: Log) -> str:
        """Say how a log fits the capture."""
        found = sum(match.told.log == log.name for matches in self.matches.values() for match in matches)
        others = len(log.sessions) - found
        offset = self.offsets.get(log.name)
        clock = "" if offset is None else f"; its clock is {_difference(offset)}"
        rest = f"; {others} of its sessions are not in the capture" if others else ""
        return f"{log.name}: {found} of {len(log.sessions)} sessions are in the capture{clock}{rest}."

    def timeline(self, session: Session) -> list[dict[str, Any]]:
        """Return what both say of a session in one order of time, by the capture's clock.

        Each entry has `time` (None where the log has none), `source`, `place` (a frame or a line), `text`, `finding`.
        """
        if session.id not in self.matches:
            return []
        entries = [
            (moment.nanoseconds, "capture", f"frame {moment.frame}", phase.value, "")
            for phase, moment in session.phases.items()
        ]
        entries += [entry for match in self.matches[session.id] for entry in self._said(match)]
        entries.sort(key=lambda entry: entry[0])
        names = ("time", "source", "place", "text", "finding")
        return [dict(zip(names, (iso(at) if at else None, *rest), strict=True)) for at, *rest in entries]

    def _said(self, match: Match) -> Iterator[tuple[int, str, str, str, str]]:
        shift = int((self.offsets.get(match.told.log) or 0.0) * 1e9)
        for said in match.told.said:
            at = 0 if said.when is None else said.when - shift
            text = f"{said.program}: {said.words}" if said.program else said.words
            yield at, Path(match.told.log).name, f"line {said.number}", text, said.finding

    def as_data(self) -> list[dict[str, Any]]:
        """Return the logs as plain data: what `diagnose --log` prints of each, and how it fits."""
        where = {id(match.told): key for key, matches in self.matches.items() for match in matches}
        return [
            {
                "name": log.name,
                "notes": log.notes,
                "clock_offset": self.offsets.get(log.name),
                "sessions": [{**told.as_data(), "in_capture": where.get(id(told))} for told in log.sessions],
            }
            for log in self.logs
        ]


def join(sessions: list[Session], judgement: Judgement, logs: list[Log]) -> Together:
    """Find each session of a capture in logs, and merge what they say into the judgement."""
    together = Together(logs)
    for log in logs:
        offset = _offset(sessions, log)
        together.offsets[log.name] = offset
        for match in _matches(sessions, log, offset):
            together.matches.setdefault(match.session.id, []).append(match)
            found = judgement.by_session.get(match.session.id, [])
            judgement.by_session[match.session.id] = merge(found, match.told)
    return together


def merge(found: list[Finding], told: LogSession) -> list[Finding]:
    """Return one ranked list of the findings of a session and those of a log on it."""
    merged = {finding.id: finding for finding in found}
    name = Path(told.log).name or "the log"
    for finding, lines in told.findings():
        where = f"{name}, line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}: "
        words = where + finding.why.removeprefix("The log says: ")
        known = merged.get(finding.id)
        if known is not None:
            sure = 1 - (1 - known.certainty) * (1 - finding.certainty)
            merged[finding.id] = _with(known, min(sure, 0.99), f"{known.why} {words}.")
        else:
            merged[finding.id] = _with(finding, finding.certainty, f"{words}.")
    return sorted(_settled(merged), key=Finding.order)


def _with(finding: Finding, certainty: float, why: str) -> Finding:
    severity, towards = finding.severity, finding.towards
    return finding.entry.found(why, finding.evidence, certainty=certainty, severity=severity, towards=towards)


def _settled(merged: dict[str, Finding]) -> Iterable[Finding]:
    """Leave out what another explains or says better."""
    explained = {word for finding in merged.values() for word in finding.entry.explains if word != finding.id}
    explained |= {word for word, better in GENERAL.items() if better & set(merged)}
    if any(finding.severity is not Severity.NOTE for finding in merged.values() if finding.id not in HARMLESS):
        explained |= HARMLESS
    return [finding for finding in merged.values() if finding.id not in explained]


# --- which session is which -------------------------------------------------------------------------------------


def _offset(sessions: list[Session], log: Log) -> float | None:
    """By how many seconds the log's clock is ahead: the difference on which most likely pairs agree."""
    votes = sorted(_votes(sessions, log))
    best: tuple[float, float, list[float]] | None = None
    begin = 0
    for end in range(len(votes)):
        while votes[end][0] - votes[begin][0] > WINDOW:
            begin += 1
        inside = votes[begin : end + 1]
        weight = sum(vote for _, vote in inside)
        middle = median(difference for difference, _ in inside)
        if best is None or (weight, -abs(middle)) > best[:2]:
            best = (weight, -abs(middle), [difference for difference, _ in inside])
    return None if best is None else round(median(best[2]), 3)


def _votes(sessions: list[Session], log: Log) -> Iterator[tuple[float, int]]:
    timed = [told for told in log.sessions if told.begun is not None]
    pairs = ((session, told) for session in sessions for told in timed)
    for session, told in islice(pairs, PAIRS_MOST):
        score, _ = likeness(session, told)
        if score > NEVER and told.begun is not None:
            yield (told.begun - session.started.nanoseconds) / 1e9, 1 + max(score, 0)


def _matches(sessions: list[Session], log: Log, offset: float | None) -> list[Match]:
    """Pair the likeliest first; each session once."""
    pairs = []
    for session, told in islice(((one, other) for one in sessions for other in log.sessions), PAIRS_MOST):
        score, how = likeness(session, told)
        apart = None
        if told.begun is not None and offset is not None:
            apart = abs((told.begun - session.started.nanoseconds) / 1e9 - offset)
        near = apart is not None and apart <= APART
        if score > NEVER and (near if apart is not None else score > 0):
            pairs.append((-score, apart or 0.0, session, told, [*how, *(["time"] if near else [])]))
    pairs.sort(key=lambda pair: pair[:2])
    taken: set[int] = set()
    matches = []
    for _, _, session, told, how in pairs:
        if id(session) not in taken and id(told) not in taken:
            taken |= {id(session), id(told)}
            matches.append(Match(session, told, " and ".join(how)))
    return matches


def likeness(session: Session, told: LogSession) -> tuple[int, list[str]]:
    """Return how much speaks for the two being one, and what; `NEVER` when something speaks against it."""
    score, how = 0, []
    if session.call:
        ids = (session.call.client_call_id, session.call.server_call_id)
        same = [mine == theirs for mine, theirs in zip(ids, told.call_ids, strict=True) if None not in (mine, theirs)]
        if not all(same):
            return NEVER, []
        score += 2 * len(same)
        how += ["call IDs"] if same else []
    if told.client and session.client:
        known = told.client in (session.client, session.server)
        if not known and not hidden(session.client):
            return NEVER, []
        score += 3 if known else -2  # a NAT may lie between the two
        how += ["address"] if known else []
    if told.user and session.user:
        if _bare(told.user) != _bare(session.user):
            return NEVER, []
        score += 2
        how.append("user")
    return score, how


def _bare(user: str) -> str:
    return user.rpartition("\\")[2].partition("@")[0].casefold()


def _difference(offset: float) -> str:
    """Say a difference of clocks; one of whole quarters of an hour is most probably a time zone."""
    if abs(offset) <= WINDOW:
        return "that of the capture"
    side = "ahead of" if offset > 0 else "behind"
    if abs(offset) >= ZONE - WINDOW and abs(offset - round(offset / ZONE) * ZONE) <= WINDOW:
        return f"{abs(offset) / 3600:.2f} hours {side} the capture's (a time zone, most probably)"
    return f"{abs(offset):.1f} s {side} the capture's"
