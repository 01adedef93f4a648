"""Facts about the control connection (RFC 2637)."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.errors import ControlEnd, DisconnectReason
from holdfast.events.base import Direction, Event, Severity


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """A TCP connection for control messages was accepted or made.

    `handshake_seconds`: round trip of its handshake, 0 when the kernel measured none, as where it was repeated.
    `retransmits`: how often our half of the handshake was repeated.
    """

    name: ClassVar[str] = "CONNECT"
    client: str
    server: str
    interface: str = ""
    handshake_seconds: float = 0.0
    retransmits: int = 0


@dataclass(frozen=True, slots=True)
class ControlMessageSeen(Event):
    """One control message went by: its name (as in RFC 2637) and its fields."""

    name: ClassVar[str] = "CONTROL_MESSAGE"
    severity: ClassVar[Severity] = Severity.DEBUG
    direction: Direction
    message: str
    fields_text: str


@dataclass(frozen=True, slots=True)
class ControlEstablished(Event):
    """The Start-Control-Connection exchange succeeded; this is what the peer said of itself."""

    name: ClassVar[str] = "CONTROL_UP"
    host_name: str
    vendor: str
    firmware_revision: int
    protocol_version: int


@dataclass(frozen=True, slots=True)
class ControlViolation(Event):
    """The peer sent something that RFC 2637 does not allow."""

    name: ClassVar[str] = "CONTROL_VIOLATION"
    severity: ClassVar[Severity] = Severity.WARNING
    detail: str


@dataclass(frozen=True, slots=True)
class ControlClosed(Event):
    """The control connection ended; `control_end` says how, in a word."""

    name: ClassVar[str] = "CONTROL_CLOSED"
    reason: DisconnectReason
    detail: str
    control_end: ControlEnd = ControlEnd.LOCAL


@dataclass(frozen=True, slots=True)
class CallEstablished(Event):
    """A call was agreed; from here on GRE flows."""

    name: ClassVar[str] = "CALL_UP"
    local_call_id: int
    peer_call_id: int
    serial_number: int
    connect_speed: int
    receive_window: int


@dataclass(frozen=True, slots=True)
class CallRefused(Event):
    """A call was asked for and not granted, by us or by the peer."""

    name: ClassVar[str] = "CALL_REFUSED"
    severity: ClassVar[Severity] = Severity.WARNING
    local_call_id: int
    peer_call_id: int
    result_code: int
    error_code: int
    detail: str


@dataclass(frozen=True, slots=True)
class CallCleared(Event):
    """A call ended on the control connection."""

    name: ClassVar[str] = "CALL_CLEARED"
    local_call_id: int
    by_peer: bool
    result_code: int
    error_code: int
    detail: str


@dataclass(frozen=True, slots=True)
class LinkErrorsReported(Event):
    """A WAN-Error-Notify arrived: cumulative counts since the call began (RFC 2637 section 2.14)."""

    name: ClassVar[str] = "WAN_ERRORS"
    severity: ClassVar[Severity] = Severity.NOTICE
    local_call_id: int
    crc_errors: int
    framing_errors: int
    hardware_overruns: int
    buffer_overruns: int
    time_out_errors: int
    alignment_errors: int


@dataclass(frozen=True, slots=True)
class LinkInfoSet(Event):
    """A Set-Link-Info arrived (RFC 2637 section 2.15).

    Windows sends 0 and ffffffff as LCP opens, twice ffffffff as it closes.
    """

    name: ClassVar[str] = "LINK_INFO"
    severity: ClassVar[Severity] = Severity.DEBUG
    local_call_id: int
    send_accm: int
    receive_accm: int
