"""The tunnel stopped for seconds and went on."""

from collections.abc import Iterator

from holdfast._native import GreFlow
from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-interrupted",
    title="The tunnel stood still for seconds",
    meaning="For some seconds nothing came through the tunnel, then it went on: a radio that roamed, a router that "
    "changed its way, a line that was down. Calls break off, pages hang for a moment.",
    recognised="A pause of one direction of three seconds or more in which the other sent twenty packets or more, "
    "without even one acknowledgement in return; afterwards both go on.",
    severity=Severity.WARNING,
    fixes=Fixes(
        network=("What happened at that time? Roaming, a spanning tree, routes, the provider's line.",),
        server=("Let sessions survive it: `lcp-echo-interval 30, lcp-echo-failure 4` or more.",),
        client=("Try a cable instead of Wi-Fi.",),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4.3",),
    explains=frozenset({"gre-jitter"}),
)

SECONDS, LEAST = 3.0, 20


def recognise(view: View) -> Iterator[Finding]:
    """Find the longest pause of each direction that the other talked through."""
    if not view.up:
        return
    for by_client in (True, False):
        flows = [flow for flow in view.session.flows(by_client) if flow.silence_ns >= SECONDS * 1e9]
        for flow in flows[:1]:
            begin, end = flow.silence_from[0], flow.silence_from[0] + flow.silence_ns
            sent = sum(_between(other, begin, end) for other in view.session.flows(not by_client))
            if sent >= LEAST:
                why = f"{side(by_client).capitalize()} sent nothing for {flow.silence_ns / 1e9:.1f} s after frame "
                why += f"{flow.silence_from[2]}, not even acknowledgements, while {sent} packets of "
                why += f"{side(not by_client)} went by; then it went on."
                yield ENTRY.found(why, [Moment(*flow.silence_from)], certainty=0.75, towards=Towards.BOTH)
                return


def _between(flow: GreFlow, begin: int, end: int) -> int:
    """How many packets a flow had in that time, steps at the edges left out."""
    step = flow.timeline_step_ns
    starts = (flow.timeline_start_ns + place * step for place in range(len(flow.timeline)))
    steps = zip(starts, flow.timeline, strict=True)
    return sum(packets for at, (packets, _, _) in steps if at >= begin and at + step <= end)
