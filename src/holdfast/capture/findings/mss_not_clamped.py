"""TCP inside the tunnel is told to use segments that do not fit."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.inner_traffic import take_apart
from holdfast.capture.words import counted

ENTRY = Entry(
    id="mss-not-clamped",
    title="TCP inside is not told how little fits",
    meaning="Connections inside the tunnel agree on segments as large as on an Ethernet. They only work when nothing "
    "drops large packets or the ICMP about them; some web pages will hang.",
    recognised="A SYN inside the tunnel, as it leaves it, with an MSS above 1410 (MTU 1450).",
    severity=Severity.NOTE,
    windows_codes=(807,),
    fixes=Fixes(server=(advice.CLAMP,), client=(advice.MTU_WINDOWS,)),
    references=("RFC 2923 section 2.3", "RFC 879"),
)

LARGEST = 1410


def recognise(view: View) -> Iterator[Finding]:
    """Look at the SYNs inside."""
    inside = view.session.inside
    packets = take_apart(inside) if inside else []
    large = [packet for packet in packets if packet.segment_size is not None and packet.segment_size > LARGEST]
    if large:
        size = max(packet.segment_size or 0 for packet in large)
        ask = "asks" if len(large) == 1 else "ask"
        why = f"{counted(len(large), 'SYN')} inside {ask} for segments of up to {size} octets."
        yield ENTRY.found(why, [packet.moment for packet in large], certainty=0.9)
