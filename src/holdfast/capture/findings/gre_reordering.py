"""GRE packets overtake each other."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-reordering",
    title="Packets arrive out of order",
    meaning="Packets overtake each other, as over two lines at once or over a busy radio link. Many PPTP programs "
    "drop what comes late, so this is loss for the user.",
    recognised="At least five packets and 1 % of one direction that come after a later one.",
    severity=Severity.WARNING,
    windows_codes=(807,),
    fixes=Fixes(
        network=("Balance load by flow, never by packet; look for bonded or two parallel lines.",),
        server=("Give the receiver a window: Holdfast sorts by itself; pptpd has none.",),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4.3",),
)

SHARE, LEAST = 0.01, 5


def recognise(view: View) -> Iterator[Finding]:
    """Packets behind later ones."""
    for up in (True, False):
        flows = view.session.flows(up)
        reordered = sum(flow.reordered for flow in flows)
        frames = max(sum(flow.frames for flow in flows), 1)
        if reordered >= LEAST and reordered / frames >= SHARE:
            furthest = max(flow.reordered_most for flow in flows)
            marked = [Moment(*frame.place) for flow in flows for frame in (*flow.data, *flow.echoes) if frame.reordered]
            why = f"{reordered} of {frames} packets of {side(up)} ({reordered / frames:.1%}) come after a later one, "
            why += f"up to {furthest} places late."
            towards = Towards.SERVER if up else Towards.CLIENT
            yield ENTRY.found(why, marked, certainty=0.9, towards=towards)
