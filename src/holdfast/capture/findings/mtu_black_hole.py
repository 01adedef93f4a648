"""Large packets vanish without a word."""

from collections.abc import Iterator

from holdfast._native import GreFrame
from holdfast.capture.findings import advice
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
SHORTEST_NS, GROWTH = 150_000_000, (1.4, 3.0)
"""The first pause of a TCP that repeats, in nanoseconds, and how much longer each next one is."""


def recognise(view: View) -> Iterator[Finding]:
    """Repeats of one large size with growing pauses."""
    for up in (True, False):
        frames = [frame for flow in view.session.flows(up) for frame in flow.data if not frame.duplicate]
        series = _longest_backoff([frame for frame in frames if frame.length >= LARGE])
        if len(series) > REPEATS and view.session.data_packets(not up):
            size = series[0].length
            seconds = (series[-1].place[0] - series[0].place[0]) / 1e9
            why = (
                f"{side(up).capitalize()} sends a packet of {size} octets {len(series)} times in {seconds:.0f} s with "
            )
            why += "growing pauses, as TCP does when a large segment never arrives."
            places = [Moment(*frame.place) for frame in series]
            yield ENTRY.found(why, places, certainty=0.75, towards=Towards.SERVER if up else Towards.CLIENT)


def _longest_backoff(frames: list[GreFrame]) -> list[GreFrame]:
    """Return the longest run of frames of one size in which each pause is clearly longer than the one before."""
    best: list[GreFrame] = []
    runs: dict[int, list[GreFrame]] = {}
    last: dict[int, int] = {}
    for frame in frames:
        size, now = frame.length, frame.place[0]
        if now - last.get(size, now) < SHORTEST_NS:
            runs[size] = [frame]  # a transfer that goes well: most of all frames come this way
        else:
            run = runs[size] = _continued(runs[size], frame)
            best = run if len(run) > len(best) else best
        last[size] = now
    return best


def _continued(run: list[GreFrame], frame: GreFrame) -> list[GreFrame]:
    """Return the run that `frame` goes on with, or begins anew."""
    if len(run) == 1:
        return [run[0], frame]
    pause, before = frame.place[0] - run[-1].place[0], run[-1].place[0] - run[-2].place[0]
    return [*run, frame] if GROWTH[0] <= pause / before <= GROWTH[1] else [run[-1], frame]
