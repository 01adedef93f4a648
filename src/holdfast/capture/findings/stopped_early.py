"""The session ended before it was up, and nothing says why."""

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View, side
from holdfast.capture.session import Kind

ENTRY = Entry(
    id="stopped-early",
    title="The session ended before it worked",
    meaning="The session got so far and no further, and the capture does not show the reason.",
    recognised="An end, or thirty seconds of nothing, before an address was agreed, and no other finding.",
    severity=Severity.WARNING,
    windows_codes=(619, 628),
    fixes=Fixes(server=(advice.SERVER_LOG,)),
    capture_next=advice.CAPTURE_WHOLE,
)

STUCK = 30.0
HARMLESS = {"port-check", "control-filtered"}


def found(view: View, others: list[Finding]) -> list[Finding]:
    """Say how far it got, when that is all there is to say."""
    if any(finding.id in HARMLESS for finding in others) or not view.started_in_capture or view.half:
        return []
    if view.session.kind is Kind.GRE and not view.over:
        return []
    if view.granted and not (view.session.up or view.session.down or view.session.strays):
        return []  # GRE was not captured: how far it got is not to be seen
    stuck = view.watched_after(view.session.ended) >= STUCK
    if not view.over and not stuck:
        return []
    phase = view.session.phase
    got = f"after {phase.value}" if phase else "before anything was agreed"
    end = view.session.goodbye
    who = f"; {side(end[1])} ended it" if end else "; then nothing more came"
    frames = [end[0] if end else view.session.ended]
    return [ENTRY.found(f"The session stopped {got}{who}.", frames, certainty=0.5)]
