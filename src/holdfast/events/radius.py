"""Facts about RADIUS."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.events.base import Direction, Event, Severity


@dataclass(frozen=True, slots=True)
class RadiusServerDown(Event):
    """A RADIUS server lets requests run out without an answer; it is asked last for a while."""

    name: ClassVar[str] = "RADIUS_DOWN"
    severity: ClassVar[Severity] = Severity.ERROR
    server: str
    detail: str


@dataclass(frozen=True, slots=True)
class RadiusServerUp(Event):
    """A RADIUS server that was down answers again."""

    name: ClassVar[str] = "RADIUS_UP"
    severity: ClassVar[Severity] = Severity.NOTICE
    server: str


@dataclass(frozen=True, slots=True)
class RadiusAnswerRefused(Event):
    """Something claims to be a RADIUS server's answer and cannot be trusted. Told once a minute and server."""

    name: ClassVar[str] = "RADIUS_REFUSED"
    severity: ClassVar[Severity] = Severity.ERROR
    server: str
    detail: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class RadiusPacketSeen(Event):
    """A RADIUS request about a client went out, or its answer came; attributes as text, secrets left out."""

    name: ClassVar[str] = "RADIUS_PACKET"
    severity: ClassVar[Severity] = Severity.DEBUG
    direction: Direction
    server: str
    code: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RadiusFailed(Event):
    """A client could not be judged by RADIUS, or its answer lacks what is needed. `fallback` says what was done."""

    name: ClassVar[str] = "RADIUS_FAILED"
    severity: ClassVar[Severity] = Severity.ERROR
    server: str
    user: str
    detail: str
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class RadiusIgnored(Event):
    """A RADIUS server let a client in, and attributes that it sent are understood and cannot hold. Once a login."""

    name: ClassVar[str] = "RADIUS_IGNORED"
    severity: ClassVar[Severity] = Severity.NOTICE
    server: str
    user: str
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionRenewed(Event):
    """The time of a session was over, its client proved itself again, and RADIUS let it go on.

    `seconds` from now on; 0 for any time.
    """

    name: ClassVar[str] = "RENEWED"
    severity: ClassVar[Severity] = Severity.NOTICE
    server: str
    user: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AccountingQueued(Event):
    """Accounting records wait because no server takes them, or (`waiting` 0) all of them were delivered."""

    name: ClassVar[str] = "ACCOUNTING_QUEUE"
    severity: ClassVar[Severity] = Severity.NOTICE
    waiting: int
    detail: str


@dataclass(frozen=True, slots=True)
class AccountingSetAside(Event):
    """Servers do not acknowledge this accounting record, although they live: those of other sessions no longer wait
    for it.

    `aside`: how many records there are like that by now.
    """

    name: ClassVar[str] = "ACCOUNTING_ASIDE"
    severity: ClassVar[Severity] = Severity.WARNING
    kind: str
    aside: int
    detail: str


@dataclass(frozen=True, slots=True)
class DynamicRequestSeen(Event):
    """A Disconnect-Request or CoA-Request came (RFC 5176) and was answered, or dropped (`answer` empty)."""

    name: ClassVar[str] = "RADIUS_REQUEST"
    severity: ClassVar[Severity] = Severity.NOTICE
    source: str
    request: str
    answer: str
    detail: str
    times: int = 1
