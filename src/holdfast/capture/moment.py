"""When and where in the captures something was seen: the unit of evidence."""

from datetime import UTC, datetime
from typing import NamedTuple


class Moment(NamedTuple):
    """A frame and its time. Sorts by time, then by file and frame."""

    nanoseconds: int
    """Since the epoch, as the capture says."""
    file: int
    """Which input, counted from 0."""
    frame: int
    """Counted from 1, as Wireshark counts."""

    @property
    def seconds(self) -> float:
        """The time in seconds since the epoch."""
        return self.nanoseconds / 1e9

    def since(self, earlier: "Moment") -> float:
        """Return the seconds from `earlier` to this."""
        return (self.nanoseconds - earlier.nanoseconds) / 1e9

    def iso(self) -> str:
        """Return the time as ISO 8601 in UTC with microseconds."""
        return iso(self.nanoseconds)


def iso(nanoseconds: int) -> str:
    """Return a time as ISO 8601 in UTC with microseconds; a time that no calendar has becomes its number."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(nanoseconds)


def clock(nanoseconds: int) -> str:
    """Return a time for people, to the second in UTC; a time that no calendar has becomes its number."""
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"time {nanoseconds}"
