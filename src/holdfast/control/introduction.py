"""How both ends introduce themselves and take leave: the texts and verdicts of RFC 2637 sections 2.1 to 2.3."""

from holdfast.control.codes import PROTOCOL_VERSION, GeneralError, Role, StartResult, StopReason
from holdfast.control.config import ControlConfig
from holdfast.control.connection_table import ConnectionInput
from holdfast.control.messages import StartControlConnectionReply, StartControlConnectionRequest
from holdfast.errors import ControlEnd, DisconnectReason
from holdfast.events import ControlClosed, ControlEstablished

StartMessage = StartControlConnectionRequest | StartControlConnectionReply


def start_request(ours: ControlConfig) -> StartControlConnectionRequest:
    """Return our introduction."""
    return StartControlConnectionRequest(
        PROTOCOL_VERSION,
        ours.framing_capabilities,
        ours.bearer_capabilities,
        ours.maximum_channels,
        ours.firmware_revision,
        ours.host_name,
        ours.vendor,
    )


def start_reply(ours: ControlConfig, result: int, error: int = GeneralError.NONE) -> StartControlConnectionReply:
    """Return our answer to the peer's introduction. It carries our version, whatever the peer's (section 3.1.2)."""
    return StartControlConnectionReply(
        PROTOCOL_VERSION,
        result,
        error,
        ours.framing_capabilities,
        ours.bearer_capabilities,
        ours.maximum_channels,
        ours.firmware_revision,
        ours.host_name,
        ours.vendor,
    )


def introduced(message: StartMessage) -> ControlEstablished:
    """Return what the peer says of itself."""
    return ControlEstablished(
        message.host_name, message.vendor_string, message.firmware_revision, message.protocol_version
    )


def start_input(message: StartMessage) -> ConnectionInput:
    """Return what the peer's introduction means for the connection.

    Only an earlier version than ours is unsupported: a peer with a later one takes the lower (section 3.1.1).
    """
    bad_version = message.protocol_version < PROTOCOL_VERSION
    if isinstance(message, StartControlConnectionRequest):
        return ConnectionInput.START_REQUEST_BAD_VERSION if bad_version else ConnectionInput.START_REQUEST
    if message.result_code != StartResult.OK:
        return ConnectionInput.START_REPLY_REFUSED
    return ConnectionInput.START_REPLY_BAD_VERSION if bad_version else ConnectionInput.START_REPLY


def start_failure(what: ConnectionInput, message: StartMessage) -> str:
    """Return why the exchange fails, or an empty text when it does not."""
    if what in (ConnectionInput.START_REQUEST_BAD_VERSION, ConnectionInput.START_REPLY_BAD_VERSION):
        return f"the peer's protocol version is 0x{message.protocol_version:04x}"
    if isinstance(message, StartControlConnectionReply) and what is ConnectionInput.START_REPLY_REFUSED:
        detail = f"the peer refused: result {StartResult.describe(message.result_code)}"
        return f"{detail}, error {GeneralError.describe(message.error_code)}" if message.error_code else detail
    return ""


def stopped_by_peer(role: Role, reason: int) -> tuple[DisconnectReason, str]:
    """Return why the connection ends: a client that leaves is its user's wish, a server that leaves is not."""
    detail = f"the peer sent Stop-Control-Connection-Request: reason {StopReason.describe(reason)}"
    if reason == StopReason.STOP_PROTOCOL:
        return DisconnectReason.NEGOTIATION_FAILED, detail
    return DisconnectReason.USER_REQUEST if role is Role.PAC else DisconnectReason.GATEWAY_SHUTDOWN, detail


def ended(state: dict[str, str] | None) -> ControlClosed | None:
    """Return how a connection was noted to end, as its fields were written down."""
    if state is None:
        return None
    return ControlClosed(DisconnectReason(state["reason"]), state["detail"], ControlEnd(state["control_end"]))
