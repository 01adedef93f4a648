"""The tunnel's packets travel in pieces."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-fragmented",
    title="GRE packets are cut into fragments",
    meaning="The tunnel's packets are larger than the path allows and travel in pieces. That costs speed, and many "
    "firewalls and NATs drop the later pieces, so that small things work and large ones stall.",
    recognised="IP fragments that carry GRE.",
    severity=Severity.WARNING,
    windows_codes=(807,),
    fixes=Fixes(
        server=(advice.MTU_1400, advice.CLAMP),
        client=(advice.MTU_WINDOWS,),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4", "RFC 791 section 3.2"),
)


def recognise(view: View) -> Iterator[Finding]:
    """Fragments, worse when they are many or incomplete."""
    for count in view.session.fragments:
        up = count.source == view.session.client
        whole = max(view.session.gre_packets(up), 1)
        share = count.whole / whole
        lost = count.whole * 2 < count.fragments - 2
        why = f"{count.fragments} fragments of GRE from {count.source}, {share:.0%} of its packets."
        if lost:
            why += f" Only {count.whole} datagrams are complete: pieces are missing."
        severity = Severity.WARNING if lost or count.fragments >= 6 else Severity.NOTE
        towards = Towards.SERVER if up else Towards.CLIENT
        yield ENTRY.found(why, [Moment(*count.first)], certainty=0.9, severity=severity, towards=towards)
