"""The session ended before it was up, and nothing says why."""

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View, repeated, side
from holdfast.capture.moment import Moment
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

STUCK, AT_ONCE, IN_VAIN = 30.0, 3.0, 2
HARMLESS = {"port-check", "control-filtered"}


def found(view: View, others: list[Finding]) -> list[Finding]:
    """Say how far it got, when that is all there is to say."""
    if any(finding.id in HARMLESS for finding in others) or not view.started_in_capture or view.half:
        return []
    if view.conversation and view.conversation.cut and view.call is None:
        return []  # how far it got is cut off
    if view.session.kind is Kind.GRE and not view.over:
        return []
    if view.granted and not (view.session.up or view.session.down or view.session.strays):
        return _before_any_gre(view, view.granted)
    stuck = view.watched_after(view.session.ended) >= STUCK
    if not view.over and not stuck:
        return []
    phase = view.session.phase
    got = f"after {phase.value}" if phase else "before anything was agreed"
    end = view.session.goodbye
    who = f"; {side(end[1])} ended it" if end else "; then nothing more came"
    frames = [end[0] if end else view.session.ended]
    why = f"The session stopped {got}{who}.{_unheard(view)}"
    return [ENTRY.found(why, frames, certainty=0.5)]


def _unheard(view: View) -> str:
    """Say which side asked in vain at the end, if one did."""
    for name, negotiation in (("IPCP", view.link.ipcp), ("CCP", view.link.ccp), ("LCP", view.link.lcp)):
        for by_client in (True, False):
            asked = repeated(negotiation.side(by_client))
            if len(asked) >= IN_VAIN:
                frames = f"frames {asked[0].moment.frame} to {asked[-1].moment.frame}"
                return (
                    f" {side(by_client).capitalize()} asked {len(asked)} times by {name} ({frames}), without an answer."
                )
    return ""


def _before_any_gre(view: View, granted: Moment) -> list[Finding]:
    """Say who hung up at once; later, GRE may just not have been captured, and how far it got is not to be seen."""
    end = view.session.goodbye
    if end is None or view.case.only_control or view.lcp_opened_by_word or end[0].since(granted) > AT_ONCE:
        return []
    who, seconds = side(end[1]), end[0].since(granted)
    why = f"{who.capitalize()} ended it {seconds:.2f} s after the call was granted, before any GRE came by here."
    why += " The reason is to be found there: GRE may be refused on its way."
    return [ENTRY.found(why, [granted, end[0]], certainty=0.6)]
