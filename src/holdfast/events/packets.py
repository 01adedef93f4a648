"""Facts about the data plane."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.events.base import Direction, Event, Severity


@dataclass(frozen=True, slots=True)
class EchoLost(Event):
    """LCP Echo-Requests went unanswered. `missed` in a row so far."""

    name: ClassVar[str] = "ECHO_LOST"
    severity: ClassVar[Severity] = Severity.NOTICE
    missed: int


@dataclass(frozen=True, slots=True)
class Recovered(Event):
    """A link that missed echoes or a GRE direction is well again."""

    name: ClassVar[str] = "RECOVERED"
    detail: str


@dataclass(frozen=True, slots=True)
class CallIdCollision(Event):
    """GRE for one of our call IDs came from an address that does not own the call."""

    name: ClassVar[str] = "CALL_ID_COLLISION"
    severity: ClassVar[Severity] = Severity.ERROR
    call_id: int
    owner: str
    intruder: str


@dataclass(frozen=True, slots=True)
class UnknownCallSeen(Event):
    """GRE came for a call that we do not have: late packets of an ended call, a reused address, or a flood."""

    name: ClassVar[str] = "UNKNOWN_CALL"
    severity: ClassVar[Severity] = Severity.NOTICE
    call_id: int
    gre_source: str


@dataclass(frozen=True, slots=True)
class SendFailed(Event):
    """The host refused to send for this call. `error_number` is the errno."""

    name: ClassVar[str] = "SEND_FAILED"
    severity: ClassVar[Severity] = Severity.WARNING
    error_number: int


@dataclass(frozen=True, slots=True)
class Fragmented(Event):
    """Tunnel packets of a session travel in pieces, which costs throughput and is lost by many firewalls.

    `packets`: how many since the last such event. `received`: somebody on the client's side cuts them; `mtu` is the
    size of the first piece. `sent`: they are cut here or, when `router` is not empty, that router says that they are
    too big for a network of which `mtu` is the MTU (0 when it did not say).
    """

    name: ClassVar[str] = "FRAGMENTED"
    severity: ClassVar[Severity] = Severity.WARNING
    direction: Direction
    packets: int
    detail: str
    mtu: int = 0
    router: str = ""


@dataclass(frozen=True, slots=True)
class PacketsReplayed(Event):
    """Much of what came for a session had come before: the network repeats it, or somebody plays it back.

    `packets`: how many since the last such event. None of them was let through twice.
    """

    name: ClassVar[str] = "REPLAYED"
    severity: ClassVar[Severity] = Severity.ERROR
    packets: int
    detail: str
