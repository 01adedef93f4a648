"""The report for a terminal: one screen for the usual case, the worst first."""

from collections.abc import Iterator
from textwrap import shorten

from holdfast.capture.checklist import State, checklist, sentence
from holdfast.capture.diagnosis import Comparison, Diagnosis, Verdict, session_filter
from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.logs.judge import Log
from holdfast.capture.moment import clock
from holdfast.capture.session import Kind, Phase, Session
from holdfast.capture.summary import headline, inside_text, phase_name, session_count, well, worked, worst_first
from holdfast.capture.vantage import Pair, conclusion, facts
from holdfast.capture.windows_codes import named
from holdfast.capture.words import counted, folded, lasted

WIDTH, NARROWEST = 100, 60
FULL_MOST = 4
"""Sessions shown in full: the first of each kind of trouble. The rest have a line each, past `LINES_MOST` a count."""
LINES_MOST = 6
LOG_SESSIONS_MOST = 12
NOTES_MOST = 4
CODES_MOST = 2
"""Windows' errors that are explained; more of them are only named."""

MARKS = {Severity.FAULT: "FAULT", Severity.WARNING: "WARNING", Severity.NOTE: "note"}


def render(diagnosis: Diagnosis, width: int = WIDTH) -> str:
    """Return the report as plain text, no line longer than `width` unless it is one word."""
    return "\n".join(_Writer(width).diagnosis(diagnosis))


def render_comparison(comparison: Comparison, width: int = WIDTH) -> str:
    """Return the report on two captures: what vanished in between, then what each end shows."""
    writer = _Writer(width)
    lines = [f"{headline(comparison)}."]
    lines += [line for pair in comparison.pairs for line in writer.pair(pair)]
    for name, diagnosis in (("At the client", comparison.client), ("At the server", comparison.server)):
        lines += ["", f"{name}:", *writer.diagnosis(diagnosis, last=diagnosis is comparison.server)]
    return "\n".join(lines)


def render_log(log: Log, width: int = WIDTH) -> str:
    """Return the report on a log, the worst first."""
    return "\n".join(_Writer(width).log(log))


class _Writer:
    """Writes what is found; the same advice only once."""

    def __init__(self, width: int) -> None:
        self._width = max(width, NARROWEST)
        self._advised: dict[str, str] = {}
        """The findings whose advice was given, and at which session."""
        self._steps: set[str] = set()
        """The steps that were advised."""

    def diagnosis(self, diagnosis: Diagnosis, *, last: bool = True) -> Iterator[str]:
        """Yield the lines about a capture."""
        yield from self._head(diagnosis)
        yield from self._sessions(diagnosis)
        if last and diagnosis.verdict is not Verdict.NOTHING and diagnosis.case.counts.span_ns:
            yield ""
            yield from self._wrapped("More: --json for programs, --html FILE for a page with a ladder diagram.", 0)

    def pair(self, pair: Pair) -> Iterator[str]:
        """Yield the lines about a session at both ends."""
        yield from self._wrapped(
            f"{pair.client.id} at the client is {pair.server.id} at the server: {conclusion(pair)}."
        )
        for fact in facts(pair):
            yield from self._wrapped(fact)
        for direction, where in ((pair.up, "client's"), (pair.down, "server's")):
            if direction.vanished:
                frames = " || ".join(f"frame.number == {moment.frame}" for moment in direction.vanished[:8])
                yield f"      Wireshark, in the {where} capture: {frames}"

    def log(self, log: Log) -> Iterator[str]:
        """Yield the lines about a log."""
        yield f"{log.name}: {counted(len(log.sessions), 'session')} with something to say."
        for note in log.notes:
            yield from self._wrapped(f"Note: {note}.")
        sessions = sorted(
            log.sessions, key=lambda session: [found.severity.rank for found, _ in session.findings()] or [9]
        )
        for session in sessions[:LOG_SESSIONS_MOST]:
            client = f", client {session.client}" if session.client else ""
            user = f", user {session.user}" if session.user else ""
            side = f", written by the {session.side.value}" if session.side.value else ""
            when = "" if session.begun is None else f", {clock(session.begun)}"
            up = ": it came up" if session.up else ""
            yield ""
            yield f"from line {session.first}{when}{client}{user}{side}{up}"
            for finding, numbers in session.findings():
                yield from self._finding(finding, f"line {session.first}")
                yield from self._wrapped(f"lines: {', '.join(map(str, numbers))}")
        if len(sessions) > LOG_SESSIONS_MOST:
            yield f"... and {len(sessions) - LOG_SESSIONS_MOST} more sessions (all of them with --json)"

    def _head(self, diagnosis: Diagnosis) -> Iterator[str]:
        case = diagnosis.case
        for file in case.files:
            if file.error:
                yield from self._wrapped(f"{file.name}: {file.error[0]}", 0)
        size = f"{counted(case.counts.frames, 'frame')}, {lasted((case.end - case.begin) / 1e9)}"
        size += f", {session_count(diagnosis)}" if case.sessions else ""
        yield from self._wrapped(f"{size}. {_verdict(diagnosis)}", 0)
        for file in case.files:
            for _, text, _ in file.notes:
                yield from self._wrapped(f"{file.name}: {text}", 2)
            for frame, text in [comment for comment in file.comments if comment[1].strip()][:5]:
                yield from self._wrapped(f"comment on {f'frame {frame}' if frame else 'the file'}: {text}", 2)
        if diagnosis.logs is not None:
            for log in diagnosis.logs.logs:
                yield from self._wrapped(diagnosis.logs.sentence(log), 2)
                for note in log.notes:
                    yield from self._wrapped(f"{log.name}: {note}.")
        for finding in diagnosis.findings(None):
            yield ""
            yield from self._finding(finding, "the capture")

    def _sessions(self, diagnosis: Diagnosis) -> Iterator[str]:
        sessions = worst_first(diagnosis)
        full = _in_full(diagnosis, sessions)
        for session in (each for each in sessions if each.id in full):
            yield ""
            yield from self._session(session, diagnosis.findings(session))
            yield from self._timeline(diagnosis, session)
        rest = [session for session in sessions if session.id not in full]
        if rest:
            yield ""
        for session in rest[:LINES_MOST]:
            top = diagnosis.findings(session)[:1]
            said = f"{MARKS[top[0].severity]} {top[0].id}" if top else "nothing to say"
            who = session.user or "unknown user"
            ends = f"{session.client} -> {session.server}, {clock(session.started.nanoseconds)}"
            line = f"{session.id}: {said}: {who}, {ends}"
            yield shorten(line, self._width, placeholder="...")
        if len(rest) > LINES_MOST:
            yield f"... and {len(rest) - LINES_MOST} more sessions (all of them with --json)"

    def _session(self, session: Session, findings: list[Finding]) -> Iterator[str]:
        yield from folded(_title(session), self._width, f"{session.id}  ", "    ")
        items = checklist(session, findings)
        steps = "" if all(item.state is State.OK for item in items) else f"checks: {sentence(items)}"
        for line in (_phases(session), steps, _details(session), _counts(session), inside_text(session)):
            yield from self._wrapped(line, 2) if line else ()
        notes = 0
        for finding in findings:
            notes += finding.severity is Severity.NOTE
            if notes <= NOTES_MOST:
                yield from self._finding(finding, session.id, session)

    def _finding(self, finding: Finding, where: str, session: Session | None = None) -> Iterator[str]:
        towards = f" [{finding.towards.value}]" if finding.towards.value else ""
        head = f"{MARKS[finding.severity]} {finding.id} ({finding.certainty:.0%})"
        yield from self._wrapped(f"{head}: {finding.entry.title}{towards}", 2)
        yield from self._wrapped(finding.why)
        if finding.severity is Severity.NOTE:
            if finding.entry.capture_next and session is not None and not worked(session):
                yield from self._wrapped(f"to be sure: {finding.entry.capture_next}")
            return
        shown = finding.filter or (session_filter(session) if session else "")
        if shown:
            yield f"      Wireshark: {shown}"
        if finding.id in self._advised:
            yield from self._wrapped(f"What to do: see {self._advised[finding.id]}.")
        else:
            self._advised[finding.id] = where
            yield from self._advice(finding)

    def _advice(self, finding: Finding) -> Iterator[str]:
        codes = finding.entry.windows_codes
        words = "; ".join(map(named, codes)) if len(codes) <= CODES_MOST else ", ".join(map(str, codes))
        if codes:
            yield from self._wrapped(f"Windows shows: {words}")
        for role, steps in finding.fixes.as_data().items():
            for step in steps:
                line = f"{role}: {step}"
                if line not in self._steps:
                    self._steps.add(line)
                    yield from self._wrapped(line)
        if finding.entry.capture_next and finding.certainty < 0.8:
            yield from self._wrapped(f"to be sure: {finding.entry.capture_next}")

    def _timeline(self, diagnosis: Diagnosis, session: Session) -> Iterator[str]:
        """What capture and logs say, in one order of time."""
        entries = diagnosis.logs.timeline(session) if diagnosis.logs else []
        if entries:
            yield "  Capture and logs on one time line, by the capture's clock:"
        for entry in entries:
            at = (entry["time"] or "")[11:23] or "            "
            mark = f"  [{entry['finding']}]" if entry["finding"] else ""
            yield f"      {at:12}  {entry['source']}, {entry['place']}: {entry['text']}{mark}"

    def _wrapped(self, text: str, indent: int = 6) -> Iterator[str]:
        yield from folded(text, self._width, " " * indent, " " * (indent + 2))


def _in_full(diagnosis: Diagnosis, sessions: list[Session]) -> set[str]:
    """The sessions to show in full: the first of each kind of trouble, or all when there are one or two."""
    if len(sessions) <= 2:
        return {session.id for session in sessions}
    kinds: dict[str, str] = {}
    for session in sessions:
        top = diagnosis.findings(session)[:1]
        kinds.setdefault(top[0].id if top else "", session.id)
    return set(list(kinds.values())[:FULL_MOST])


def _verdict(diagnosis: Diagnosis) -> str:
    match diagnosis.verdict:
        case Verdict.NOTHING:
            foreign = diagnosis.case.counts.foreign_gre
            gre = f" ({foreign} GRE packets are there, but none of PPTP)" if foreign else ""
            return f"No PPTP in this capture{gre}."
        case Verdict.HEALTHY:
            return f"{well(diagnosis)}."
        case Verdict.FINDINGS:
            found = diagnosis.judgement.all
            faults = sum(finding.severity is Severity.FAULT for finding in found)
            warnings = sum(finding.severity is Severity.WARNING for finding in found)
            return f"{counted(faults, 'fault')}, {counted(warnings, 'warning')}."


def _title(session: Session) -> str:
    ends = "PPP on a link" if session.kind is Kind.PPP else f"{session.client} -> {session.server}"
    user = f", user {session.user}" if session.user else ""
    return f"{ends}{user}, {clock(session.started.nanoseconds)}"


def _phases(session: Session) -> str:
    reached = [(phase, session.phases[phase]) for phase in Phase if phase in session.phases]
    # Of several calls on one connection, each but the first begins long after it.
    begin = min([session.started, *(moment for _, moment in reached)])
    parts = [f"{phase_name(phase)} {moment.since(begin):.2f}s" for phase, moment in reached]
    return " > ".join(parts) or "nothing of its beginning is here"


def _details(session: Session) -> str:
    link = session.link
    parts = []
    if link.method:
        parts.append(str(link.method))
    if link.mppe:
        parts.append(f"MPPE {link.mppe.bits} bits {'stateless' if link.mppe.stateless else 'stateful'}")
    if link.client_address:
        parts.append(f"client {link.client_address}, server {link.server_address or 'without address'}")
    if session.call:
        parts.append(f"call IDs client {session.call.client_call_id}, server {session.call.server_call_id}")
    return "; ".join(parts)


def _counts(session: Session) -> str:
    if not session.up and not session.down:
        return ""
    parts = []
    for name, up in (("to server", True), ("to client", False)):
        flows = session.flows(up)
        missing = sum(flow.missing for flow in flows)
        parts.append(f"{name} {session.gre_packets(up)} GRE, {session.data_packets(up)} data, {missing} missing")
    return "; ".join(parts)
