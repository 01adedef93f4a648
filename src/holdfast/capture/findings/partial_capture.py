"""The capture shows only a part of the session."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.session import Kind

ENTRY = Entry(
    id="partial-capture",
    title="The capture shows only a part",
    meaning="The capture begins too late, ends too early, holds one direction only, or leaves one of the two channels "
    "out. What is not in it may have happened all the same: absence from a capture is not proof.",
    recognised="No beginning, no GRE beside a granted call, no control connection beside GRE, one direction only, or "
    "an end of the capture in the middle of the negotiation.",
    severity=Severity.NOTE,
    capture_next=advice.CAPTURE_WHOLE + ". " + advice.CAPTURE_BOTH_ENDS,
)

MIDDLE = 3.0


def recognise(view: View) -> Iterator[Finding]:
    """Name every part that is missing."""
    missing = list(_missing(view))
    if missing:
        why = "; ".join(missing) + "."
        yield ENTRY.found(why[0].upper() + why[1:], view.session.frames[:1], certainty=0.95)


def _missing(view: View) -> Iterator[str]:
    session, conversation = view.session, view.conversation
    if session.kind is Kind.GRE:
        yield "the control connection (TCP port 1723) is not in the capture"
        if not view.link.lcp.seen:
            yield "the negotiation is not in the capture"
    if session.kind is Kind.PPP:
        yield "this is PPP on a link, without the tunnel around it"
    if conversation and conversation.cookie and not conversation.syns:
        yield "the capture begins in the middle of the session"
    if view.granted and not session.up and not session.down and not session.strays:
        yield "no GRE is in the capture, which is no proof that there was none"
    one_way = bool(session.up) != bool(session.down)
    if one_way and session.kind is Kind.GRE:
        yield "only one direction of GRE is in the capture"
    if conversation and conversation.cut and view.call is None:
        yield "the snap length leaves too little of each packet to read the control messages"
    if conversation and view.half:
        yield "only one direction of TCP is in the capture"
    if view.started_in_capture and not view.up and not view.over and _ends_soon(view):
        yield "the capture ends while the session is being set up"


def _ends_soon(view: View) -> bool:
    return view.watched_after(view.session.ended) < MIDDLE and view.session.kind is Kind.PPTP
