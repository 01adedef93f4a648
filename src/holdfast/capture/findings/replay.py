"""Old packets are sent again."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="replay",
    title="Old packets come again",
    meaning="Packets that were delivered seconds or minutes ago appear once more. No network does that by itself: "
    "somebody recorded them and plays them back, or a second program uses the same call.",
    recognised="Three or more GRE packets with sequence numbers long past, or copies that come seconds later.",
    severity=Severity.WARNING,
    fixes=Fixes(
        server=("The receiver drops them by their numbers. Find out who sends: compare TTL and hardware address.",),
        network=("Drop GRE from addresses that have no business there; block spoofed sources at the edge (BCP 38).",),
    ),
    capture_next="Capture with full frames near the server, to see the hardware address of the sender.",
    references=("RFC 2637 section 5", "RFC 3078 section 12"),
)

LEAST = 3


def recognise(view: View) -> Iterator[Finding]:
    """Late and aged packets."""
    if view.session.wireless or not view.case.orderly:
        return
    for up in (True, False):
        flows = view.session.flows(up)
        old = sum(flow.late + flow.aged for flow in flows)
        if old >= LEAST:
            frames = [Moment(*flow.late_first) for flow in flows if flow.late_first]
            why = f"{old} packets of {side(up)} repeat what was sent long before."
            certainty = 0.85 if old >= 10 else 0.65
            yield ENTRY.found(why, frames, certainty=certainty, towards=Towards.SERVER if up else Towards.CLIENT)
