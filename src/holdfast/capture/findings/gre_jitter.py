"""The time that packets take varies a lot."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side

ENTRY = Entry(
    id="gre-jitter",
    title="The delay varies a lot",
    meaning="Some packets take many times longer than others. Voice and remote desktops suffer; timers may run out.",
    recognised="At least fifty acknowledgements measured, the slowest 5 % four times slower than the middle and above "
    "250 ms, without the time for which the other end may have kept them; a note up to 500 ms, and while a large "
    "transfer fills the line, whose queue delays everything.",
    severity=Severity.WARNING,
    windows_codes=(807,),
    fixes=Fixes(
        network=(
            "A full queue delays everything: shape the line to 95 % of its rate with tc qdisc ... cake or fq_codel.",
        ),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4.4",),
)

LEAST, RATIO, HIGH = 50, 4.0, 0.25
BAD = 0.5
"""Seconds from which on people on the telephone hear it."""
SIZE_STEP, LARGE, LARGE_LEAST = 100, 1000, 100
"""Octets of a step of `sizes`, of a packet of a large transfer, and how many of these are one."""


def recognise(view: View) -> Iterator[Finding]:
    """Acknowledgements that the way delayed very differently; what the other end held back does not count."""
    for up in (True, False):
        for flow in view.session.flows(up):
            middle, high = (flow.lag_median_ns or 0) / 1e9, flow.lag_sure_ns / 1e9
            if flow.lag_count < LEAST or high < HIGH or high < RATIO * middle or middle <= 0.01:
                continue
            why = f"{side(up).capitalize()} confirms packets after {middle * 1000:.0f} ms in the middle, but 5 % were "
            why += f"under way for {high * 1000:.0f} ms or more (longest {flow.lag_sure_most_ns / 1e6:.0f} ms)."
            busy = _busy(view)
            if busy:
                why += " A large transfer filled the line: what waits behind it is late, and that does no harm to it."
            severity = Severity.WARNING if high >= BAD and not busy else Severity.NOTE
            towards = Towards.SERVER if up else Towards.CLIENT
            yield ENTRY.found(why, certainty=0.5, severity=severity, towards=towards)


def _busy(view: View) -> bool:
    """Whether most of a direction are large packets, as of a transfer that takes all the line has to give."""
    flows = view.session.up + view.session.down
    large = ((sum(flow.sizes[LARGE // SIZE_STEP :]), flow.frames) for flow in flows)
    return any(count >= LARGE_LEAST and count * 2 >= frames for count, frames in large)
