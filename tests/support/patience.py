"""How long tests wait for what must come.

A number of seconds in a test is what a quiet machine may need; a busy one gets `SLOWNESS` times as long. What comes is
never waited for longer than it takes, so only a test that fails costs the time.
"""

import time
from collections.abc import Callable
from typing import TypeVar

SLOWNESS = 10
T = TypeVar("T")


def patient(seconds: float) -> float:
    """Return how long to wait at most for what takes so long on a quiet machine, and half a minute at least."""
    return max(30.0, seconds * SLOWNESS)


def until(condition: Callable[[], object], seconds: float, story: Callable[[], str]) -> float:
    """Wait until something is so; return the seconds that took, fail with the story when it does not come."""
    began, limit = time.monotonic(), patient(seconds)
    while not condition():
        assert time.monotonic() - began < limit, f"not within {limit:g} s:\n{story()}"
        time.sleep(0.02)
    return time.monotonic() - began


def once_in(attempts: int, attempt: Callable[[], T], good: Callable[[T], bool]) -> T:
    """Repeat what a busy machine may spoil until it is good once; return that one, or the last.

    For bounds on time: a product that is too slow is too slow each time, a machine with other things to do is not.
    """
    for _ in range(attempts - 1):
        if good(result := attempt()):
            return result
    return attempt()
