"""The network delivers packets twice."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.capture_duplicates import made_by_capture
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-duplicates",
    title="Packets arrive twice",
    meaning="The network delivers some packets more than once. The tunnel drops the second copy; it costs bandwidth "
    "and points at a loop or a redundant path.",
    recognised="At least five packets and 1 % of one direction that are copies, unless the capture itself made them "
    "(nearly every packet twice, another TTL, 802.11 retries).",
    severity=Severity.WARNING,
    fixes=Fixes(network=("Look for redundant paths without spanning tree, and for bonding in broadcast mode.",)),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4.3",),
)

SHARE, LEAST = 0.01, 5


def recognise(view: View) -> Iterator[Finding]:
    """Copies that neither radio nor capture explain."""
    for up in (True, False):
        flows = view.session.flows(up)
        if made_by_capture(view, up):
            continue
        copies = sum(flow.copies - flow.copies_wireless + flow.duplicates - flow.aged for flow in flows)
        frames = max(sum(flow.frames for flow in flows), 1)
        if copies >= LEAST and copies / frames >= SHARE:
            marked = [Moment(*frame.place) for flow in flows for frame in (*flow.data, *flow.echoes) if frame.duplicate]
            why = f"{copies} of {frames} packets of {side(up)} ({copies / frames:.1%}) arrive again."
            yield ENTRY.found(why, marked, certainty=0.8, towards=Towards.SERVER if up else Towards.CLIENT)
