"""What each call message of the peer does to the calls: RFC 2637 sections 2.7 to 2.15.

`take` returns what is wrong with the message, or an empty text. Whatever is wrong, no call is left stuck.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from holdfast.control.call import NO_CALL_ID, Call, CallInput, CallKind, CallState
from holdfast.control.calls import CallBook, Outcome, refusal, refusal_message
from holdfast.control.codes import (
    CauseCode,
    DisconnectResult,
    GeneralError,
    IncomingCallResult,
    OutgoingCallResult,
    Role,
)
from holdfast.control.commands import AnswerCall
from holdfast.control.config import ControlConfig
from holdfast.control.messages import (
    CallClearRequest,
    CallDisconnectNotify,
    ControlMessage,
    IncomingCallConnected,
    IncomingCallReply,
    IncomingCallRequest,
    OutgoingCallReply,
    OutgoingCallRequest,
    SetLinkInfo,
    WanErrorNotify,
)
from holdfast.control.outbox import Outbox
from holdfast.events import CallRefused, LinkErrorsReported, LinkInfoSet


class CallMessages:
    """Turns the peer's call messages into steps of the calls."""

    __slots__ = ("_book", "_config", "_outbox", "_role")

    def __init__(self, role: Role, config: ControlConfig, book: CallBook, outbox: Outbox) -> None:
        self._role = role
        self._config = config
        self._book = book
        self._outbox = outbox

    def take(self, message: ControlMessage, now: float) -> str:
        """Act on a call message; return what is wrong with it, or an empty text."""
        return self._HANDLERS[type(message)](self, message, now)

    def refuse_unconnected(self, message: ControlMessage) -> None:
        """Answer a request that came before the control connection was established (section 2.1)."""
        if isinstance(message, OutgoingCallRequest | IncomingCallRequest):
            kind = CallKind.PAC_OUTGOING if isinstance(message, OutgoingCallRequest) else CallKind.PNS_INCOMING
            self._refuse(kind, message.call_id, refusal(kind, GeneralError.NOT_CONNECTED, "not connected yet"))

    # --- requests ------------------------------------------------------------------------------------------

    def _outgoing_call_request(self, message: OutgoingCallRequest, now: float) -> str:
        request = AnswerCall(
            message.call_id,
            message.call_serial_number,
            incoming=False,
            bearer_type=message.bearer_type,
            framing_type=message.framing_type,
            minimum_bps=message.minimum_bps,
            maximum_bps=message.maximum_bps,
            receive_window=message.packet_recv_window_size,
            processing_delay=message.packet_processing_delay,
            phone_number=message.phone_number,
            subaddress=message.subaddress,
        )
        if self._role is Role.PNS:
            detail = "Outgoing-Call-Request to a PNS"
            self._refuse(
                CallKind.PAC_OUTGOING, message.call_id, Outcome(OutgoingCallResult.DO_NOT_ACCEPT, detail=detail)
            )
            return detail
        return self._request(CallKind.PAC_OUTGOING, request, now)

    def _incoming_call_request(self, message: IncomingCallRequest, now: float) -> str:
        request = AnswerCall(
            message.call_id,
            message.call_serial_number,
            incoming=True,
            bearer_type=message.call_bearer_type,
            physical_channel_id=message.physical_channel_id,
            phone_number=message.dialed_number,
            dialing_number=message.dialing_number,
            subaddress=message.subaddress,
        )
        if self._role is Role.PNS and self._config.accept_incoming_calls:
            return self._request(CallKind.PNS_INCOMING, request, now)
        detail = "incoming calls are not accepted" if self._role is Role.PNS else "Incoming-Call-Request to a PAC"
        self._refuse(CallKind.PNS_INCOMING, message.call_id, Outcome(IncomingCallResult.DO_NOT_ACCEPT, detail=detail))
        return detail if self._role is Role.PAC else ""

    def _request(self, kind: CallKind, request: AnswerCall, now: float) -> str:
        if self._book.by_peer(request.peer_call_id) is not None:
            detail = f"a call was asked for with Call ID {request.peer_call_id}, which is in use"
            self._refuse(kind, request.peer_call_id, refusal(kind, GeneralError.BAD_CALL_ID, detail))
            return detail
        if self._book.full:
            detail = f"more than {self._config.max_calls} calls on one control connection"
            self._refuse(kind, request.peer_call_id, refusal(kind, GeneralError.NO_RESOURCE, detail))
            return ""
        call = Call(kind, None, request.peer_call_id, request.serial_number, request=request)
        call.peer_window = request.receive_window
        self._book.add(call)
        self._book.step(call, CallInput.REQUEST, now)
        return ""

    def _refuse(self, kind: CallKind, peer_call_id: int, outcome: Outcome) -> None:
        self._outbox.send(refusal_message(kind, peer_call_id, outcome))
        self._outbox.event(
            CallRefused(NO_CALL_ID, peer_call_id, outcome.result_code, outcome.error_code, outcome.detail)
        )

    # --- replies -------------------------------------------------------------------------------------------

    def _outgoing_call_reply(self, message: OutgoingCallReply, now: float) -> str:
        accepted = message.result_code == OutgoingCallResult.CONNECTED
        call = self._replied(CallKind.PNS_OUTGOING, message, accepted=accepted)
        if call is not None:
            call.connect_speed = message.connect_speed
            call.peer_window = message.packet_recv_window_size
        meaning = OutgoingCallResult.describe(message.result_code)
        outcome = _said(message.name, meaning, message.result_code, message.error_code, message.cause_code)
        return self._step_reply(call, message, outcome, now, accepted=accepted)

    def _incoming_call_reply(self, message: IncomingCallReply, now: float) -> str:
        accepted = message.result_code == IncomingCallResult.CONNECT
        call = self._replied(CallKind.PAC_INCOMING, message, accepted=accepted)
        if call is not None:
            call.peer_window = message.packet_recv_window_size
        meaning = IncomingCallResult.describe(message.result_code)
        outcome = _said(message.name, meaning, message.result_code, message.error_code)
        return self._step_reply(call, message, outcome, now, accepted=accepted)

    def _replied(
        self, kind: CallKind, message: OutgoingCallReply | IncomingCallReply, *, accepted: bool
    ) -> Call | None:
        """Return the call that waits for this reply, with the peer's Call ID learned."""
        call = self._book.by_local(message.peer_call_id)
        if call is None or call.kind is not kind or call.peer_call_id is not None:
            return None
        if accepted:
            call.peer_call_id = message.call_id
        return call

    def _step_reply(
        self,
        call: Call | None,
        message: OutgoingCallReply | IncomingCallReply,
        outcome: Outcome,
        now: float,
        *,
        accepted: bool,
    ) -> str:
        if call is None:
            return self._stray(message.name, message.peer_call_id)
        self._book.step(call, CallInput.REPLY_ACCEPTED if accepted else CallInput.REPLY_REFUSED, now, outcome)
        if accepted and self._book.by_peer(message.call_id) is not call:
            return f"{message.name} with Call ID {message.call_id}, which another call has already"
        return ""

    def _incoming_call_connected(self, message: IncomingCallConnected, now: float) -> str:
        call = self._book.by_local(message.peer_call_id)
        if call is None:
            return self._stray(message.name, message.peer_call_id)
        if call.state is CallState.WAIT_CONNECT:
            call.connect_speed = message.connect_speed
            call.peer_window = message.packet_recv_window_size
        return self._step(call, message, CallInput.CONNECTED, now, Outcome())

    # --- ends ----------------------------------------------------------------------------------------------

    def _call_clear_request(self, message: CallClearRequest, now: float) -> str:
        call = self._book.by_either(message.call_id)
        if call is None:
            # A PNS waits for this answer; a call that it clears while we report its end is no fault of its own.
            bad_call_id = (DisconnectResult.GENERAL_ERROR, GeneralError.BAD_CALL_ID, CauseCode.NONE)
            self._outbox.send(CallDisconnectNotify(message.call_id, *bad_call_id, ""))
            return self._stray(message.name, message.call_id)
        outcome = Outcome(DisconnectResult.REQUEST, detail=f"the peer sent {message.name}")
        fault = self._step(call, message, CallInput.CLEAR_REQUEST, now, outcome)
        return fault or ("" if self._role is Role.PAC else f"{message.name} to a PNS")

    def _call_disconnect_notify(self, message: CallDisconnectNotify, now: float) -> str:
        call = self._book.by_either(message.call_id)
        if call is None:
            return self._stray(message.name, message.call_id)
        # Result 0 is what Windows says of a normal clear.
        meaning = DisconnectResult.describe(message.result_code) if message.result_code else "0 (normal)"
        outcome = _said(message.name, meaning, message.result_code, message.error_code, message.cause_code)
        fault = self._step(call, message, CallInput.DISCONNECT_NOTIFY, now, outcome)
        return fault or ("" if self._role is Role.PNS else f"{message.name} to a PAC")

    # --- during a call -------------------------------------------------------------------------------------

    def _wan_error_notify(self, message: WanErrorNotify, _now: float) -> str:
        call = self._book.by_local(message.peer_call_id) or self._book.by_peer(message.peer_call_id)
        if call is None:
            return self._stray(message.name, message.peer_call_id)
        self._outbox.event(
            LinkErrorsReported(
                call.ids()[0],
                message.crc_errors,
                message.framing_errors,
                message.hardware_overruns,
                message.buffer_overruns,
                message.time_out_errors,
                message.alignment_errors,
            )
        )
        return ""

    def _set_link_info(self, message: SetLinkInfo, _now: float) -> str:
        call = self._book.by_local(message.peer_call_id) or self._book.by_peer(message.peer_call_id)
        if call is None:
            return self._stray(message.name, message.peer_call_id)
        self._outbox.event(LinkInfoSet(call.ids()[0], message.send_accm, message.receive_accm))
        return ""

    # --- inside --------------------------------------------------------------------------------------------

    def _step(self, call: Call, message: ControlMessage, what: CallInput, now: float, outcome: Outcome) -> str:
        state = call.state
        if self._book.step(call, what, now, outcome):
            return ""
        return f"{message.name} for a call in state {state}"

    def _stray(self, name: str, call_id: int) -> str:
        """Messages may cross the end of a call: only what names a call that never was is wrong."""
        return "" if self._book.recently_ended(call_id) else f"{name} for Call ID {call_id}, which is no call"

    _HANDLERS: ClassVar[dict[type[ControlMessage], Callable[[Any, Any, float], str]]] = {
        OutgoingCallRequest: _outgoing_call_request,
        OutgoingCallReply: _outgoing_call_reply,
        IncomingCallRequest: _incoming_call_request,
        IncomingCallReply: _incoming_call_reply,
        IncomingCallConnected: _incoming_call_connected,
        CallClearRequest: _call_clear_request,
        CallDisconnectNotify: _call_disconnect_notify,
        WanErrorNotify: _wan_error_notify,
        SetLinkInfo: _set_link_info,
    }


def _said(name: str, meaning: str, result_code: int, error_code: int, cause_code: int = 0) -> Outcome:
    detail = f"the peer sent {name}: result {meaning}"
    if error_code:
        detail += f", error {GeneralError.describe(error_code)}"
    if cause_code:
        detail += f", cause {CauseCode.describe(cause_code)}"
    return Outcome(result_code, error_code, cause_code, detail)
