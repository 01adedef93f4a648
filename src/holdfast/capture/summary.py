"""A judgement in one line, the same for the terminal and the page."""

from collections import Counter

from holdfast.capture.diagnosis import Comparison, Diagnosis, Verdict
from holdfast.capture.findings.base import Severity
from holdfast.capture.session import Kind, Phase, Session
from holdfast.capture.words import counted

_NAMES = {Phase.TCP: "TCP", Phase.GRE: "GRE", Phase.LCP: "LCP", Phase.AUTHENTICATION: "sign-in"}


def phase_name(phase: Phase) -> str:
    """Return what people call a phase."""
    return _NAMES.get(phase, phase.value)


def worked(session: Session) -> bool:
    """Whether a session is seen to have come up; what a capture lacks matters less then."""
    return bool(session.phases.keys() & {Phase.ADDRESS, Phase.TRAFFIC})


def session_count(diagnosis: Diagnosis) -> str:
    """Return how many sessions there are, and of what."""
    sessions = diagnosis.case.sessions
    bare = bool(sessions) and all(session.kind is Kind.PPP for session in sessions)
    return counted(len(sessions), "PPP session" if bare else "PPTP session")


def worst_first(diagnosis: Diagnosis) -> list[Session]:
    """Return the sessions, those with the worst findings first, then by time."""

    def order(session: Session) -> tuple[int, int]:
        found = diagnosis.findings(session)
        return (found[0].severity.rank if found else len(Severity), session.started.nanoseconds)

    return sorted(diagnosis.case.sessions, key=order)


def well(diagnosis: Diagnosis) -> str:
    """Say how much of what has no fault is seen to work: what a capture does not show is not well."""
    found = [{finding.id for finding in diagnosis.findings(session)} for session in diagnosis.case.sessions]
    meant = [words for words in found if "port-check" not in words]
    working = sum("healthy" in words for words in meant)
    if working == len(meant):
        return "All is well"
    if working:
        return f"No fault is seen; {working} of {counted(len(meant), 'session')} are seen to work"
    return "No fault is seen, and no session that works either"


def headline(judged: Diagnosis | Comparison) -> str:
    """Say what it comes to in a few words."""
    if isinstance(judged, Comparison):
        return _between(judged)
    match judged.verdict:
        case Verdict.NOTHING:
            return "No PPTP in this capture"
        case Verdict.HEALTHY:
            return well(judged)
        case Verdict.FINDINGS:
            return _found(judged)


def _found(diagnosis: Diagnosis) -> str:
    severity = diagnosis.judgement.worst
    word = "a fault" if severity is Severity.FAULT else "a warning"
    first = [found[0] for session in diagnosis.case.sessions if (found := diagnosis.findings(session))]
    sick = [finding for finding in first if finding.severity is not Severity.NOTE]
    if len(diagnosis.case.sessions) == 1 or not sick:
        return diagnosis.judgement.all[0].entry.title
    worst = [finding for finding in sick if finding.severity is severity] or sick
    titles = Counter(finding.entry.title for finding in worst)
    title, times = titles.most_common(1)[0]
    total = len(diagnosis.case.sessions)
    if len(titles) == 1:
        return f"{title}: {times} of {total} sessions"
    return f"{len(worst)} of {total} sessions have {word}, most often: {title} ({times})"


def _between(comparison: Comparison) -> str:
    lost = sum(len(way.vanished) for pair in comparison.pairs for way in (pair.up, pair.down))
    if lost:
        return f"{counted(lost, 'GRE frame')} {'vanishes' if lost == 1 else 'vanish'} between client and server"
    if not comparison.pairs:
        return "No session is in both captures"
    ends = [end for end in (comparison.client, comparison.server) if end.verdict is Verdict.FINDINGS]
    return headline(ends[0]) if ends else "Nothing is lost between client and server"


def summary(judged: Diagnosis | Comparison) -> str:
    """Say how many of what were found."""
    if isinstance(judged, Comparison):
        both = f"{counted(len(judged.pairs), 'session')} found in both captures."
        return f"{both} At the client: {summary(judged.client)} At the server: {summary(judged.server)}"
    if judged.verdict is Verdict.NOTHING:
        foreign = judged.case.counts.foreign_gre
        return f"{foreign} GRE packets are there, but none of PPTP." if foreign else "No control connection and no GRE."
    found = judged.judgement.all
    faults = sum(finding.severity is Severity.FAULT for finding in found)
    warnings = sum(finding.severity is Severity.WARNING for finding in found)
    sessions = session_count(judged)
    if not faults and not warnings:
        return f"{sessions}, nothing to repair."
    return f"{sessions}: {counted(faults, 'fault')}, {counted(warnings, 'warning')}."


def inside_text(session: Session) -> str:
    """Say what the password that was given opened; empty when none was given."""
    inside = session.inside
    if inside is None:
        return ""
    if inside.password_fits is None:
        return "the password could not be tried: no MS-CHAPv2 exchange of this session is in the capture"
    if not inside.password_fits:
        return "the password that was given is not the one that the client used"
    shut = sum(inside.opaque.values())
    opened = f"the password fits: {counted(len(inside.packets), 'packet')} deciphered"
    return f"{opened}, {shut} not" if shut else opened
