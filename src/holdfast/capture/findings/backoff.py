"""What TCP does with a segment that is never confirmed: it sends it again, each pause longer than the last."""

from collections.abc import Iterable

from holdfast._native import GreFrame

SHORTEST_NS, GROWTH = 150_000_000, (1.4, 3.0)
"""The first pause of a TCP that repeats, in nanoseconds, and how much longer each next one is."""


def longest_backoff(frames: Iterable[GreFrame]) -> list[GreFrame]:
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
