"""Weekly time windows, written as `mon-fri 08:00-18:00, sat 09:00-12:00`, in this machine's local time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES

_WINDOW = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))?\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_EXAMPLE = "mon-fri 08:00-18:00, sat 09:00-12:00"


@dataclass(frozen=True, slots=True)
class Hours:
    """When sessions may be open. `windows` are minutes of the week, Monday 00:00 first: from, and up to before.

    Without a window every time is allowed.
    """

    windows: tuple[tuple[int, int], ...] = ()

    @classmethod
    @lru_cache(maxsize=256)
    def parse(cls, text: str) -> "Hours":
        """Read windows from text; none for an empty one. ValueError says in a sentence what is wrong.

        A window without days counts every day; one that ends before it begins runs into the next day.
        """
        parts = [part.strip() for part in text.lower().split(",") if part.strip()]
        return cls(_joined(sorted(window for part in parts for window in _windows(part))))

    def allows(self, moment: datetime) -> bool:
        """Whether sessions may be open at `moment` (local time)."""
        return not self.windows or self._around(_minute(moment)) is not None

    def ends(self, moment: datetime) -> datetime | None:
        """Return when the window around `moment` closes; None when there is none, or when it never does."""
        window = self._around(_minute(moment))
        if window is None or window == (0, WEEK_MINUTES):
            return None
        start = moment.replace(second=0, microsecond=0)
        ending = window[1]
        if ending == WEEK_MINUTES and self.windows[0][0] == 0:
            # What runs on over Sunday midnight ends when Monday's first window does.
            ending += self.windows[0][1]
        return start + timedelta(minutes=ending - _minute(moment))

    def _around(self, minute: int) -> tuple[int, int] | None:
        return next((window for window in self.windows if window[0] <= minute < window[1]), None)


def _minute(moment: datetime) -> int:
    return moment.weekday() * DAY_MINUTES + moment.hour * 60 + moment.minute


def _windows(part: str) -> Iterator[tuple[int, int]]:
    match = _WINDOW.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is not a weekly window; write it as {_EXAMPLE!r}")
    begin, end = _clock(match[3], match[4]), _clock(match[5], match[6])
    length = end - begin if end > begin else end - begin + DAY_MINUTES
    for day in _days(match[1], match[2]):
        first = day * DAY_MINUTES + begin
        yield first, min(first + length, WEEK_MINUTES)
        if first + length > WEEK_MINUTES:
            yield 0, first + length - WEEK_MINUTES


def _clock(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > DAY_MINUTES:
        raise ValueError(f"{hour}:{minute} is not a time of the day")
    return minutes


def _days(first: str | None, last: str | None) -> list[int]:
    if first is None:
        return list(range(7))
    for name in (first, last or first):
        if name not in DAYS:
            raise ValueError(f"{name!r} is not a day; the days are {', '.join(DAYS)}")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _joined(windows: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Join windows that touch or overlap, so that an end is a real one."""
    joined: list[tuple[int, int]] = []
    for begin, end in windows:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)
