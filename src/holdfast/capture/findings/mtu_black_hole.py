"""Large packets vanish without a word."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.backoff import longest_backoff
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="mtu-black-hole",
    title="Large packets vanish",
    meaning="Small packets pass, large ones never arrive, and nobody says why: an MTU on the way is too small and the "
    "ICMP that should tell is blocked. Web pages hang, copies stall, ping works.",
    recognised="The same large packet sent three times or more with growing pauses, as TCP repeats what is never "
    "confirmed, while small packets pass; or only large packets missing.",
    severity=Severity.FAULT,
    windows_codes=(807,),
    fixes=Fixes(
        server=(advice.MTU_1400, advice.CLAMP),
        network=("Let ICMP type 3 code 4 pass to both ends.",),
        client=(advice.MTU_WINDOWS,),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2923 section 2.1", "RFC 1191", "RFC 4821"),
)

LARGE, REPEATS = 1000, 3


def recognise(view: View) -> Iterator[Finding]:
    """Repeats of one large size with growing pauses."""
    for up in (True, False):
        frames = [frame for flow in view.session.flows(up) for frame in flow.data if not frame.duplicate]
        series = longest_backoff([frame for frame in frames if frame.length >= LARGE])
        if len(series) > REPEATS and view.session.data_packets(not up):
            size = series[0].length
            seconds = (series[-1].place[0] - series[0].place[0]) / 1e9
            why = (
                f"{side(up).capitalize()} sends a packet of {size} octets {len(series)} times in {seconds:.0f} s with "
            )
            why += "growing pauses, as TCP does when a large segment never arrives."
            places = [Moment(*frame.place) for frame in series]
            yield ENTRY.found(why, places, certainty=0.75, towards=Towards.SERVER if up else Towards.CLIENT)
