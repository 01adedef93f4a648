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
    "200 ms; a note up to 500 ms, as long as some programs hold acknowledgements back.",
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

LEAST, RATIO, HIGH = 50, 4.0, 0.2
HELD_BACK = 0.5
"""Seconds for which pptp-linux may keep an acknowledgement until data goes back: up to here it need not be the line."""


def recognise(view: View) -> Iterator[Finding]:
    """Acknowledgements that come at very different times; delayed acknowledgements alone stay below."""
    for up in (True, False):
        for flow in view.session.flows(up):
            middle, high = flow.lag_median_ns or 0, flow.lag_high_ns or 0
            if (
                flow.lag_count >= LEAST
                and high / 1e9 >= HIGH
                and high >= RATIO * max(middle, 1)
                and middle > 10_000_000
            ):
                why = f"{side(up).capitalize()} confirms packets after {middle / 1e6:.0f} ms in the middle, "
                why += f"but 5 % take longer than {high / 1e6:.0f} ms (longest {flow.lag_most_ns / 1e6:.0f} ms)."
                severity = Severity.WARNING if high / 1e9 > HELD_BACK else Severity.NOTE
                towards = Towards.SERVER if up else Towards.CLIENT
                yield ENTRY.found(why, certainty=0.5, severity=severity, towards=towards)
