"""Facts about watching an interface."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.events.base import Event, Severity


@dataclass(frozen=True, slots=True)
class WatchStarted(Event):
    """An interface is watched from now on; captures of failed sessions go to a directory (empty: none are kept)."""

    name: ClassVar[str] = "WATCH_START"
    listen: str
    directory: str


@dataclass(frozen=True, slots=True)
class WatchStopped(Event):
    """Watching an interface ended."""

    name: ClassVar[str] = "WATCH_STOP"
    seconds: float
    packets: int
    sessions: int
    failures: int
    lost: int


@dataclass(frozen=True, slots=True)
class WatchedUp(Event):
    """A session that is watched got its address, or carries data. `seconds` after its beginning."""

    name: ClassVar[str] = "WATCH_UP"
    method: str
    bits: int
    peer_address: str
    seconds: float


@dataclass(frozen=True, slots=True)
class WatchedEnded(Event):
    """A session that is watched ended, and was well. `finding` says how it ended, where that can be seen."""

    name: ClassVar[str] = "WATCH_END"
    finding: str
    why: str
    phase: str
    duration: float
    packets_in: int
    packets_out: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is said of a session that was found not to be well."""

    finding: str
    certainty: float
    direction: str
    title: str
    why: str
    phase: str
    duration: float
    windows_codes: tuple[int, ...]
    fixes: tuple[str, ...]
    others: tuple[str, ...]
    capture: str


@dataclass(frozen=True, slots=True)
class WatchedSick(_Judged, Event):
    """A session that is watched is not well while it goes on. Told once for each finding."""

    name: ClassVar[str] = "WATCH_FINDING"
    severity: ClassVar[Severity] = Severity.WARNING


@dataclass(frozen=True, slots=True)
class WatchedFailed(_Judged, Event):
    """A session that is watched ended, and was not well, or never came up."""

    name: ClassVar[str] = "WATCH_FAILED"
    severity: ClassVar[Severity] = Severity.WARNING


@dataclass(frozen=True, slots=True)
class WatchedAgain(Event):
    """The same happened to one client again and again: `times` within `seconds`."""

    name: ClassVar[str] = "WATCH_RECURRING"
    severity: ClassVar[Severity] = Severity.WARNING
    subject: str
    finding: str
    times: int
    seconds: float
    captures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WatchImpaired(Event):
    """Not everything was seen: packets found no room, there were too many connections, or the interface went away."""

    name: ClassVar[str] = "WATCH_IMPAIRED"
    severity: ClassVar[Severity] = Severity.WARNING
    detail: str
    lost: int
