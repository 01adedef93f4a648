"""The fifteen control messages of RFC 2637 section 2, as frozen dataclasses.

`message.encode()` gives the whole message, header included; `decode(octets)` reads one. The fields stand as in
the figures of the RFC, under the same names; reserved fields are sent as zero and ignored on receipt. Codes stay
integers, so that unregistered values survive; `holdfast.control.codes` has their meanings.
"""

import struct
from dataclasses import dataclass
from typing import Annotated, ClassVar

from holdfast.control.codes import (
    MAGIC_COOKIE,
    CauseCode,
    ControlMessageType,
    DisconnectResult,
    GeneralError,
    GeneralResult,
    IncomingCallResult,
    OutgoingCallResult,
    PptpMessageType,
    StartResult,
    StopReason,
)
from holdfast.wire.errors import MalformedError
from holdfast.wire.fixed import Number, Reserved, Text64, Text128, Uint16, Uint32, layout_of

HEADER = struct.Struct("!HHIHH")
"""Length, PPTP Message Type, Magic Cookie, Control Message Type, Reserved0."""


def _hexadecimal(value: int) -> str:
    return f"0x{value:08x}"


Version = Annotated[int, Number("H", lambda value: f"{value >> 8}.{value & 0xFF}")]
Accm = Annotated[int, Number("I", _hexadecimal)]
General = Annotated[int, Number("B", GeneralError.describe)]
Cause = Annotated[int, Number("H", CauseCode.describe)]
StartResultCode = Annotated[int, Number("B", StartResult.describe)]
StopReasonCode = Annotated[int, Number("B", StopReason.describe)]
GeneralResultCode = Annotated[int, Number("B", GeneralResult.describe)]
OutgoingCallResultCode = Annotated[int, Number("B", OutgoingCallResult.describe)]
IncomingCallResultCode = Annotated[int, Number("B", IncomingCallResult.describe)]
DisconnectResultCode = Annotated[int, Number("B", DisconnectResult.describe)]


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """One control message. `name` is its name in the RFC."""

    type: ClassVar[ControlMessageType]
    name: ClassVar[str]

    @classmethod
    def size(cls) -> int:
        """Return the size of the whole message in octets; each kind has exactly one."""
        return HEADER.size + layout_of(cls).size

    def encode(self) -> bytes:
        """Return the whole message. ValueError when a number does not fit its field."""
        body = layout_of(type(self)).pack(self)
        header = HEADER.pack(HEADER.size + len(body), PptpMessageType.CONTROL, MAGIC_COOKIE, self.type, 0)
        return header + body

    def fields_text(self) -> str:
        """Return the fields as one line for people."""
        return layout_of(type(self)).describe(self)


@dataclass(frozen=True, slots=True)
class StartControlConnectionRequest(ControlMessage):
    """Section 2.1, 156 octets."""

    type: ClassVar[ControlMessageType] = ControlMessageType.START_CONTROL_CONNECTION_REQUEST
    name: ClassVar[str] = "Start-Control-Connection-Request"
    protocol_version: Version
    reserved1: ClassVar[Reserved] = Reserved(2)
    framing_capabilities: Uint32
    bearer_capabilities: Uint32
    maximum_channels: Uint16
    firmware_revision: Uint16
    host_name: Text64
    vendor_string: Text64


@dataclass(frozen=True, slots=True)
class StartControlConnectionReply(ControlMessage):
    """Section 2.2, 156 octets."""

    type: ClassVar[ControlMessageType] = ControlMessageType.START_CONTROL_CONNECTION_REPLY
    name: ClassVar[str] = "Start-Control-Connection-Reply"
    protocol_version: Version
    result_code: StartResultCode
    error_code: General
    framing_capabilities: Uint32
    bearer_capabilities: Uint32
    maximum_channels: Uint16
    firmware_revision: Uint16
    host_name: Text64
    vendor_string: Text64


@dataclass(frozen=True, slots=True)
class StopControlConnectionRequest(ControlMessage):
    """Section 2.3, 16 octets."""

    type: ClassVar[ControlMessageType] = ControlMessageType.STOP_CONTROL_CONNECTION_REQUEST
    name: ClassVar[str] = "Stop-Control-Connection-Request"
    reason: StopReasonCode
    reserved1: ClassVar[Reserved] = Reserved(1)
    reserved2: ClassVar[Reserved] = Reserved(2)


@dataclass(frozen=True, slots=True)
class StopControlConnectionReply(ControlMessage):
    """Section 2.4, 16 octets."""

    type: ClassVar[ControlMessageType] = ControlMessageType.STOP_CONTROL_CONNECTION_REPLY
    name: ClassVar[str] = "Stop-Control-Connection-Reply"
    result_code: GeneralResultCode
    error_code: General
    reserved1: ClassVar[Reserved] = Reserved(2)


@dataclass(frozen=True, slots=True)
class EchoRequest(ControlMessage):
    """Section 2.5, 16 octets."""

    type: ClassVar[ControlMessageType] = ControlMessageType.ECHO_REQUEST
    name: ClassVar[str] = "Echo-Request"
    identifier: Uint32


@dataclass(frozen=True, slots=True)
class EchoReply(ControlMessage):
    """Section 2.6, 20 octets."""

    type: ClassVar[ControlMessageType] = ControlMessageType.ECHO_REPLY
    name: ClassVar[str] = "Echo-Reply"
    identifier: Uint32
    result_code: GeneralResultCode
    error_code: General
    reserved1: ClassVar[Reserved] = Reserved(2)


@dataclass(frozen=True, slots=True)
class OutgoingCallRequest(ControlMessage):
    """Section 2.7, 168 octets. From the PNS; `call_id` is the PNS's."""

    type: ClassVar[ControlMessageType] = ControlMessageType.OUTGOING_CALL_REQUEST
    name: ClassVar[str] = "Outgoing-Call-Request"
    call_id: Uint16
    call_serial_number: Uint16
    minimum_bps: Uint32
    maximum_bps: Uint32
    bearer_type: Uint32
    framing_type: Uint32
    packet_recv_window_size: Uint16
    packet_processing_delay: Uint16
    phone_number_length: Uint16
    reserved1: ClassVar[Reserved] = Reserved(2)
    phone_number: Text64
    subaddress: Text64


@dataclass(frozen=True, slots=True)
class OutgoingCallReply(ControlMessage):
    """Section 2.8, 32 octets. From the PAC; `call_id` is the PAC's, `peer_call_id` the PNS's."""

    type: ClassVar[ControlMessageType] = ControlMessageType.OUTGOING_CALL_REPLY
    name: ClassVar[str] = "Outgoing-Call-Reply"
    call_id: Uint16
    peer_call_id: Uint16
    result_code: OutgoingCallResultCode
    error_code: General
    cause_code: Cause
    connect_speed: Uint32
    packet_recv_window_size: Uint16
    packet_processing_delay: Uint16
    physical_channel_id: Uint32


@dataclass(frozen=True, slots=True)
class IncomingCallRequest(ControlMessage):
    """Section 2.9, 220 octets. From the PAC; `call_id` is the PAC's."""

    type: ClassVar[ControlMessageType] = ControlMessageType.INCOMING_CALL_REQUEST
    name: ClassVar[str] = "Incoming-Call-Request"
    call_id: Uint16
    call_serial_number: Uint16
    call_bearer_type: Uint32
    physical_channel_id: Uint32
    dialed_number_length: Uint16
    dialing_number_length: Uint16
    dialed_number: Text64
    dialing_number: Text64
    subaddress: Text64


@dataclass(frozen=True, slots=True)
class IncomingCallReply(ControlMessage):
    """Section 2.10, 24 octets. From the PNS; `call_id` is the PNS's, `peer_call_id` the PAC's."""

    type: ClassVar[ControlMessageType] = ControlMessageType.INCOMING_CALL_REPLY
    name: ClassVar[str] = "Incoming-Call-Reply"
    call_id: Uint16
    peer_call_id: Uint16
    result_code: IncomingCallResultCode
    error_code: General
    packet_recv_window_size: Uint16
    packet_transmit_delay: Uint16
    reserved1: ClassVar[Reserved] = Reserved(2)


@dataclass(frozen=True, slots=True)
class IncomingCallConnected(ControlMessage):
    """Section 2.11, 28 octets. From the PAC; `peer_call_id` is the PNS's."""

    type: ClassVar[ControlMessageType] = ControlMessageType.INCOMING_CALL_CONNECTED
    name: ClassVar[str] = "Incoming-Call-Connected"
    peer_call_id: Uint16
    reserved1: ClassVar[Reserved] = Reserved(2)
    connect_speed: Uint32
    packet_recv_window_size: Uint16
    packet_transmit_delay: Uint16
    framing_type: Uint32


@dataclass(frozen=True, slots=True)
class CallClearRequest(ControlMessage):
    """Section 2.12, 16 octets. From the PNS; `call_id` is the PNS's."""

    type: ClassVar[ControlMessageType] = ControlMessageType.CALL_CLEAR_REQUEST
    name: ClassVar[str] = "Call-Clear-Request"
    call_id: Uint16
    reserved1: ClassVar[Reserved] = Reserved(2)


@dataclass(frozen=True, slots=True)
class CallDisconnectNotify(ControlMessage):
    """Section 2.13, 148 octets. From the PAC; `call_id` is the PAC's (some peers put the PNS's there)."""

    type: ClassVar[ControlMessageType] = ControlMessageType.CALL_DISCONNECT_NOTIFY
    name: ClassVar[str] = "Call-Disconnect-Notify"
    call_id: Uint16
    result_code: DisconnectResultCode
    error_code: General
    cause_code: Cause
    reserved1: ClassVar[Reserved] = Reserved(2)
    call_statistics: Text128


@dataclass(frozen=True, slots=True)
class WanErrorNotify(ControlMessage):
    """Section 2.14, 40 octets. From the PAC; `peer_call_id` is the PNS's. Counts since the call began."""

    type: ClassVar[ControlMessageType] = ControlMessageType.WAN_ERROR_NOTIFY
    name: ClassVar[str] = "WAN-Error-Notify"
    peer_call_id: Uint16
    reserved1: ClassVar[Reserved] = Reserved(2)
    crc_errors: Uint32
    framing_errors: Uint32
    hardware_overruns: Uint32
    buffer_overruns: Uint32
    time_out_errors: Uint32
    alignment_errors: Uint32


@dataclass(frozen=True, slots=True)
class SetLinkInfo(ControlMessage):
    """Section 2.15, 24 octets. From the PNS (Windows sends it as PAC too); `peer_call_id` is the receiver's."""

    type: ClassVar[ControlMessageType] = ControlMessageType.SET_LINK_INFO
    name: ClassVar[str] = "Set-Link-Info"
    peer_call_id: Uint16
    reserved1: ClassVar[Reserved] = Reserved(2)
    send_accm: Accm
    receive_accm: Accm


MESSAGES: tuple[type[ControlMessage], ...] = (
    StartControlConnectionRequest,
    StartControlConnectionReply,
    StopControlConnectionRequest,
    StopControlConnectionReply,
    EchoRequest,
    EchoReply,
    OutgoingCallRequest,
    OutgoingCallReply,
    IncomingCallRequest,
    IncomingCallReply,
    IncomingCallConnected,
    CallClearRequest,
    CallDisconnectNotify,
    WanErrorNotify,
    SetLinkInfo,
)


_BY_TYPE: dict[int, type[ControlMessage]] = {cls.type: cls for cls in MESSAGES}


def message_class(control_message_type: int) -> type[ControlMessage] | None:
    """Return the class of a Control Message Type, or None when the RFC does not define it."""
    return _BY_TYPE.get(control_message_type)


def decode(octets: bytes) -> ControlMessage:
    """Return the one message that `octets` hold, header included.

    MalformedError when the header or the length is wrong or the type is not defined.
    """
    if len(octets) < HEADER.size:
        raise MalformedError(f"{len(octets)} octets are too few for a control message")
    length, pptp_message_type, cookie, control_message_type, _ = HEADER.unpack_from(octets)
    if cookie != MAGIC_COOKIE:
        raise MalformedError(f"magic cookie 0x{cookie:08x}")
    if length != len(octets):
        raise MalformedError(f"length {length} in a message of {len(octets)} octets")
    cls = message_class(control_message_type)
    if pptp_message_type != PptpMessageType.CONTROL or cls is None:
        raise MalformedError(f"PPTP Message Type {pptp_message_type}, Control Message Type {control_message_type}")
    return layout_of(cls).unpack(octets[HEADER.size :])
