"""GRE over time, both directions on one axis, as shapes in percent of the width: what a page draws."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast._native import GreFlow
from holdfast.capture.session import Session
from holdfast.capture.vantage import Pair

HALF = 64
"""Height of one direction in pixels."""
PARTS = 120
"""Steps of time in the plot of two captures."""
PARTS_LEAST = 3
"""Fewer steps of time say nothing."""
SILENCE = 3.0
SILENCE_SHARE = 0.08
TALK_LEAST = 3
"""A direction is silent when nothing comes for so many seconds, and so much of the session, while the other talks."""
TICKS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    43200,
    86400,
)
"""Seconds between two marks of the axis."""
TICKS_MOST = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """The packets of one step of time. `x` and `width` are in percent, `y` and `height` in pixels."""

    x: float
    width: float
    y: float
    height: float
    lost: float
    """Height of the part that is missing, on top of the bar."""
    up: bool
    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch in which one direction says nothing while the other talks."""

    x: float
    width: float
    up: bool
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Both directions: what goes to the server above the axis, what comes from it below."""

    bars: list[Bar]
    silences: list[Silence]
    ticks: list[tuple[float, str]]
    """Percent of the width, and the seconds there."""
    most: int
    """Packets of the highest bar."""
    step: float
    """Seconds of one bar."""


@dataclass(frozen=True, slots=True)
class _Step:
    begin: int
    length: int
    packets: int
    missing: int
    up: bool


def plot_of(session: Session) -> Plot | None:
    """Return the plot of a session; None when there is too little to draw."""
    begin = session.started.nanoseconds
    steps = [step for up in (True, False) for flow in session.flows(up) for step in _steps(flow, begin, up)]
    return _drawn(steps, max(session.ended.nanoseconds - begin, 1))


def plot_between(pair: Pair) -> Plot | None:
    """Return what arrived and what vanished over time, each by the sender's clock; None when that is too little."""
    steps: list[_Step] = []
    longest = 1
    for way, session in ((pair.up, pair.client), (pair.down, pair.server)):
        begin, span = session.started.nanoseconds, max(session.ended.nanoseconds - session.started.nanoseconds, 1)
        length = max(span // PARTS, 1)
        arrived, lost = (
            Counter((moment.nanoseconds - begin) // length for moment in moments)
            for moments in (way.arrivals, way.vanished)
        )
        places = sorted(arrived.keys() | lost.keys())
        steps += [_Step(max(at * length, 0), length, arrived[at], lost[at], way.to_server) for at in places]
        longest = max(longest, span)
    return _drawn(steps, longest)


def _drawn(steps: list[_Step], span: int) -> Plot | None:
    if len(steps) < PARTS_LEAST:
        return None
    most = max(step.packets + step.missing for step in steps)
    bars = [_bar(step, span, most) for step in steps]
    silences = [silence for up in (True, False) for silence in _silences(steps, up, span)]
    return Plot(bars, silences, list(_ticks(span / 1e9)), most, max(step.length for step in steps) / 1e9)


def _steps(flow: GreFlow, begin: int, up: bool) -> Iterator[_Step]:
    for index, (packets, _, missing) in enumerate(flow.timeline):
        if packets:
            at = flow.timeline_start_ns + index * flow.timeline_step_ns - begin
            yield _Step(max(at, 0), flow.timeline_step_ns, packets, missing, up)


def _bar(step: _Step, span: int, most: int) -> Bar:
    scale = 100 / span
    height, lost = HALF * step.packets / most, HALF * step.missing / most
    x = min(step.begin * scale, 99.6)
    words = "to the server" if step.up else "to the client"
    text = f"{step.begin / 1e9:.1f} s: {step.packets} packets {words}"
    if step.missing:
        text += f", {step.missing} missing"
    return Bar(
        round(x, 3),
        round(min(max(step.length * scale - 0.06, 0.35), 100 - x), 3),
        round(HALF - height if step.up else HALF, 2),
        round(height, 2),
        round(lost, 2),
        step.up,
        text,
    )


def _silences(steps: list[_Step], up: bool, span: int) -> Iterator[Silence]:
    """Pauses of one direction in which the other said something."""
    long = max(SILENCE * 1e9, SILENCE_SHARE * span)
    talk = sorted((step.begin, step.begin + step.length) for step in steps if step.up == up)
    others = [step.begin for step in steps if step.up != up]
    first = min(step.begin for step in steps)
    edges = [(first, first), *talk, (span, span)]
    reached = first
    for begin, end in edges:
        if begin - reached >= long and sum(reached < other < begin for other in others) >= TALK_LEAST:
            words = "to the server" if up else "to the client"
            text = f"{(begin - reached) / 1e9:.1f} s nothing {words}, from {reached / 1e9:.1f} s on"
            yield Silence(round(reached * 100 / span, 3), round((begin - reached) * 100 / span, 3), up, text)
        reached = max(reached, end)


def _ticks(seconds: float) -> Iterator[tuple[float, str]]:
    step = next(
        (step for step in TICKS if seconds / step <= TICKS_MOST), TICKS[-1] * (1 + int(seconds / TICKS[-1]) // 8)
    )
    for number in range(int(seconds / step) + 1):
        at = number * step
        yield round(at * 100 / seconds, 3), f"{at:g} s"
