"""The report for a terminal: one screen for the usual case, the worst first."""

from collections.abc import Iterator
from textwrap import fill

from holdfast.capture.diagnosis import Comparison, Diagnosis, Verdict, session_filter
from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.logs.judge import Log
from holdfast.capture.moment import clock
from holdfast.capture.session import Kind, Phase, Session
from holdfast.capture.vantage import Pair, conclusion, facts

WIDTH = 100
SESSIONS_MOST = 12
"""Sessions shown in full; the rest in one line each, and past `LINES_MOST` only counted."""
LINES_MOST = 40
NOTES_MOST = 4

MARKS = {Severity.FAULT: "FAULT", Severity.WARNING: "WARNING", Severity.NOTE: "note"}


def render(diagnosis: Diagnosis) -> str:
    """Return the report as plain text."""
    return "\n".join([*_head(diagnosis), *_sessions(diagnosis), *_foot(diagnosis)])


def render_comparison(comparison: Comparison) -> str:
    """Return the report on two captures: what vanished in between, then what each end shows."""
    lines = ["Between the two captures:"]
    lines += [line for pair in comparison.pairs for line in _pair(pair)]
    if not comparison.pairs:
        lines.append("  no session is in both")
    for name, diagnosis in (("At the client", comparison.client), ("At the server", comparison.server)):
        lines += ["", f"{name}: ", render(diagnosis)]
    return "\n".join(lines)


def render_log(log: Log) -> str:
    """Return the report on a log, the worst first."""
    plural = "" if len(log.sessions) == 1 else "s"
    lines = [f"{log.name}: {len(log.sessions)} session{plural} with something to say."]
    lines += [_wrapped(f"Note: {note}.") for note in log.notes]
    sessions = sorted(log.sessions, key=lambda session: [found.severity.rank for found, _ in session.findings()] or [9])
    for session in sessions[:SESSIONS_MOST]:
        client = f", client {session.client}" if session.client else ""
        user = f", user {session.user}" if session.user else ""
        side = f", written by the {session.side.value}" if session.side.value else ""
        when = "" if session.begun is None else f", {clock(session.begun)}"
        up = ": it came up" if session.up else ""
        lines += ["", f"from line {session.first}{when}{client}{user}{side}{up}"]
        for finding, numbers in session.findings():
            lines += _finding(finding)
            lines.append(f"      lines: {', '.join(map(str, numbers))}")
    if len(sessions) > SESSIONS_MOST:
        lines.append(f"... and {len(sessions) - SESSIONS_MOST} more sessions (all of them with --json)")
    return "\n".join(lines)


def _pair(pair: Pair) -> Iterator[str]:
    yield _wrapped(f"{pair.client.id} at the client is {pair.server.id} at the server: {conclusion(pair)}.")
    for fact in facts(pair):
        yield _wrapped(fact)
    for direction, where in ((pair.up, "client's"), (pair.down, "server's")):
        if direction.vanished:
            frames = " || ".join(f"frame.number == {moment.frame}" for moment in direction.vanished[:8])
            yield _wrapped(f"Wireshark, in the {where} capture: {frames}")


def _head(diagnosis: Diagnosis) -> Iterator[str]:
    case = diagnosis.case
    counts = case.counts
    for file in case.files:
        if file.error:
            yield f"{file.name}: {file.error[0]}"
    span = (case.end - case.begin) / 1e9
    plural = "" if len(case.sessions) == 1 else "s"
    yield f"{counts.frames} frames, {span:.1f} s, {len(case.sessions)} PPTP session{plural}. {_verdict(diagnosis)}"
    for file in case.files:
        for _, text, _ in file.notes:
            yield f"  {file.name}: {text}"
        for frame, text in file.comments[:5]:
            where = f"frame {frame}" if frame else "the file"
            yield f"  comment on {where}: {text}"
    if diagnosis.logs is not None:
        yield from (f"  {diagnosis.logs.sentence(log)}" for log in diagnosis.logs.logs)
        yield from (_wrapped(f"{log.name}: {note}.") for log in diagnosis.logs.logs for note in log.notes)
    for finding in diagnosis.findings(None):
        yield ""
        yield from _finding(finding)


def _verdict(diagnosis: Diagnosis) -> str:
    match diagnosis.verdict:
        case Verdict.NOTHING:
            return _nothing(diagnosis)
        case Verdict.HEALTHY:
            return "All is well."
        case Verdict.FINDINGS:
            found = diagnosis.judgement.all
            faults = sum(finding.severity is Severity.FAULT for finding in found)
            warnings = sum(finding.severity is Severity.WARNING for finding in found)
            return f"{faults} fault{'' if faults == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}."


def _nothing(diagnosis: Diagnosis) -> str:
    foreign = diagnosis.case.counts.foreign_gre
    gre = f" ({foreign} GRE packets are there, but none of PPTP)" if foreign else ""
    return f"No PPTP in this capture{gre}."


def _sessions(diagnosis: Diagnosis) -> Iterator[str]:
    sessions = sorted(diagnosis.case.sessions, key=lambda session: _worst(diagnosis, session))
    for session in sessions[:SESSIONS_MOST]:
        yield ""
        yield from _session(session, diagnosis.findings(session))
        yield from _timeline(diagnosis, session)
    for session in sessions[SESSIONS_MOST:LINES_MOST]:
        top = diagnosis.findings(session)[:1]
        yield f"{_title(session)}: {top[0].entry.title if top else 'nothing to say'}"
    if len(sessions) > LINES_MOST:
        yield f"... and {len(sessions) - LINES_MOST} more sessions (all of them with --json)"


def _worst(diagnosis: Diagnosis, session: Session) -> tuple[int, int]:
    found = diagnosis.findings(session)
    return (found[0].severity.rank if found else 3, session.started.nanoseconds)


def _title(session: Session) -> str:
    ends = "PPP on a link" if session.kind is Kind.PPP else f"{session.client} -> {session.server}"
    user = f", user {session.user}" if session.user else ""
    return f"{session.id}  {ends}{user}, {clock(session.started.nanoseconds)}"


def _session(session: Session, findings: list[Finding]) -> Iterator[str]:
    yield _title(session)
    yield "  " + _phases(session)
    details = _details(session)
    if details:
        yield "  " + details
    counts = _counts(session)
    if counts:
        yield "  " + counts
    notes = 0
    for finding in findings:
        notes += finding.severity is Severity.NOTE
        if notes <= NOTES_MOST:
            yield from _finding(finding, session)


def _timeline(diagnosis: Diagnosis, session: Session) -> Iterator[str]:
    """What capture and logs say, in one order of time."""
    entries = diagnosis.logs.timeline(session) if diagnosis.logs else []
    if entries:
        yield "  Capture and logs on one time line, by the capture's clock:"
    for entry in entries:
        clock = (entry["time"] or "")[11:23] or "            "
        mark = f"  [{entry['finding']}]" if entry["finding"] else ""
        yield f"      {clock:12}  {entry['source']}, {entry['place']}: {entry['text']}{mark}"


def _phases(session: Session) -> str:
    parts = []
    for phase in Phase:
        moment = session.phases.get(phase)
        if moment is not None:
            parts.append(f"{_name(phase)} {moment.since(session.started):.2f}s")
    return " > ".join(parts) or "nothing of its beginning is here"


def _name(phase: Phase) -> str:
    return {"tcp": "TCP", "gre": "GRE", "lcp": "LCP"}.get(phase.value, phase.value)


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


def _finding(finding: Finding, session: Session | None = None) -> Iterator[str]:
    head = f"{MARKS[finding.severity]} {finding.id} ({finding.certainty:.0%})"
    towards = f" [{finding.towards.value}]" if finding.towards.value else ""
    yield f"  {head}: {finding.entry.title}{towards}"
    yield _wrapped(finding.why)
    if finding.severity is Severity.NOTE:
        return
    codes = ", ".join(map(str, finding.entry.windows_codes))
    if codes:
        yield f"      Windows shows: {codes}"
    shown = finding.filter or (session_filter(session) if session else "")
    if shown:
        yield _wrapped(f"Wireshark: {shown}")
    for role, steps in finding.entry.fixes.as_data().items():
        for step in steps:
            yield _wrapped(f"{role}: {step}")
    if finding.entry.capture_next and finding.certainty < 0.8:
        yield _wrapped(f"to be sure: {finding.entry.capture_next}")


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, initial_indent="      ", subsequent_indent="        ", break_long_words=False)


def _foot(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.verdict is not Verdict.NOTHING and diagnosis.case.counts.span_ns:
        yield ""
        yield "More: --json for programs, --html FILE for a page with a ladder diagram of each session."
