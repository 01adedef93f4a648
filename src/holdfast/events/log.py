"""Facts about the event log itself."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.events.base import Event, Severity


@dataclass(frozen=True, slots=True)
class LogOpened(Event):
    """The event log was opened, and goes on behind `head`. `torn_octets`: half a line that a killed writer left."""

    name: ClassVar[str] = "LOG_OPENED"
    head: str
    previous: str
    torn_octets: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LogSigned(Event):
    """The log up to the line before this one was signed: line number, chain value, key, Ed25519 signature."""

    name: ClassVar[str] = "LOG_SIGNED"
    signed_seq: int
    head: str
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class LogFailed(Event):
    """The log's file cannot be written; facts wait in memory."""

    name: ClassVar[str] = "LOG_FAILED"
    severity: ClassVar[Severity] = Severity.ERROR
    detail: str
    waiting: int


@dataclass(frozen=True, slots=True)
class LogRecovered(Event):
    """The log's file can be written again, and what waited was."""

    name: ClassVar[str] = "LOG_RECOVERED"
    severity: ClassVar[Severity] = Severity.NOTICE
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LogOverflowed(Event):
    """More facts came than the spool holds: that many were lost."""

    name: ClassVar[str] = "LOG_LOST"
    severity: ClassVar[Severity] = Severity.ERROR
    lost: int
    detail: str


@dataclass(frozen=True, slots=True)
class LogPurged(Event):
    """Lines of a closed segment were taken out and left stubs; `digest` covers the numbers of all stubs in it now."""

    name: ClassVar[str] = "LOG_PURGED"
    severity: ClassVar[Severity] = Severity.NOTICE
    segment: str
    cause: str
    lines: int
    digest: str
    removed: bool = False
    last_seq: int = 0
    head: str = ""


@dataclass(frozen=True, slots=True)
class LogExported(Event):
    """Someone took a copy of lines out; `digest` is the SHA-256 of the file."""

    name: ClassVar[str] = "LOG_EXPORTED"
    severity: ClassVar[Severity] = Severity.NOTICE
    by: str
    lines: int
    digest: str
    selection: str


@dataclass(frozen=True, slots=True)
class PseudonymForgotten(Event):
    """The key behind a person's pseudonyms was destroyed: nobody can tell any more who they were."""

    name: ClassVar[str] = "LOG_FORGOTTEN"
    severity: ClassVar[Severity] = Severity.NOTICE
    pseudonym: str
    keys: int


@dataclass(frozen=True, slots=True)
class SinkFailed(Event):
    """A receiver of the log takes nothing; what it misses is read from the log's own files when it is back."""

    name: ClassVar[str] = "SINK_FAILED"
    severity: ClassVar[Severity] = Severity.ERROR
    sink: str
    detail: str


@dataclass(frozen=True, slots=True)
class SinkRecovered(Event):
    """A receiver of the log takes lines again; `lost` of them were gone from the log before it could have them."""

    name: ClassVar[str] = "SINK_RECOVERED"
    severity: ClassVar[Severity] = Severity.NOTICE
    sink: str
    seconds: float
    lost: int


@dataclass(frozen=True, slots=True)
class ClockJumped(Event):
    """This machine's clock was set; times before and after do not compare. `seconds` forward, or back if negative."""

    name: ClassVar[str] = "CLOCK_JUMP"
    severity: ClassVar[Severity] = Severity.WARNING
    seconds: float
