"""Facts about the dialer."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.errors import DisconnectReason
from holdfast.events.base import Event, Severity


@dataclass(frozen=True, slots=True)
class DialScheduled(Event):
    """The tunnel is down and will be dialled again. `delay` in seconds, `number` counts the tries in a row."""

    name: ClassVar[str] = "DIAL_WAIT"
    severity: ClassVar[Severity] = Severity.NOTICE
    number: int
    delay: float
    reason: DisconnectReason
    evidence: str


@dataclass(frozen=True, slots=True)
class DialStopped(Event):
    """The dialer does not try again."""

    name: ClassVar[str] = "DIAL_STOP"
    severity: ClassVar[Severity] = Severity.NOTICE
    exit_code: int
    message: str


@dataclass(frozen=True, slots=True)
class DialPhaseReached(Event):
    """One step of a try is done; `milliseconds` since the step before."""

    name: ClassVar[str] = "DIAL_PHASE"
    phase: str
    milliseconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CarrierChanged(Event):
    """The network under the tunnel changed in a way that touches the path to the server."""

    name: ClassVar[str] = "CARRIER_CHANGE"
    severity: ClassVar[Severity] = Severity.NOTICE
    detail: str


@dataclass(frozen=True, slots=True)
class PathMeasured(Event):
    """How big packets may be on the path to the server was measured; the tunnel's MTU is `mtu` from now on."""

    name: ClassVar[str] = "PATH_MTU"
    mtu: int
    path: int
    both_ways: bool
    detail: str


@dataclass(frozen=True, slots=True)
class HostChanged(Event):
    """Addresses, routes, name servers or firewall of this host were changed for tunnels, or put back."""

    name: ClassVar[str] = "HOST_CHANGE"
    detail: str
    undone: bool = False


@dataclass(frozen=True, slots=True)
class DialNoticed(Event):
    """Something about a tunnel that a person should know: why its routes are as they are, a hook that failed."""

    name: ClassVar[str] = "DIAL_NOTE"
    severity: ClassVar[Severity] = Severity.NOTICE
    detail: str
