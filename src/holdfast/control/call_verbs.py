"""What the owner of a control connection may ask of its calls.

Each verb returns whether the state of things allowed it; none raises because of what the peer did.
"""

from holdfast.control.call import Call, CallInput, CallKind, CallState
from holdfast.control.calls import CallBook, Outcome
from holdfast.control.codes import Bearer, DisconnectResult, Framing, GeneralError, Role
from holdfast.control.commands import AnswerCall
from holdfast.control.config import ControlConfig
from holdfast.control.messages import ControlMessage, IncomingCallRequest, OutgoingCallRequest, SetLinkInfo
from holdfast.control.outbox import Outbox


class CallVerbs:
    """The half of a control connection that its owner's wishes about calls go through."""

    __slots__ = ("_book", "_config", "_outbox", "role")

    def __init__(self, role: Role, config: ControlConfig) -> None:
        self.role = role
        self._config = config
        self._outbox = Outbox(trace=config.trace_messages)
        self._book = CallBook(config, self._outbox)

    @property
    def established(self) -> bool:
        """Whether calls can be made."""
        raise NotImplementedError

    @property
    def trace(self) -> bool:
        """Whether each message is told as `ControlMessageSeen`."""
        return self._outbox.trace

    @trace.setter
    def trace(self, wanted: bool) -> None:
        self._outbox.trace = wanted

    @property
    def call_count(self) -> int:
        """How many calls are not idle."""
        return len(self._book)

    def unanswered(self) -> list[AnswerCall]:
        """Return the requests that still wait for `accept_call` or `refuse_call` (after `restore`, ask again)."""
        return self._book.unanswered()

    def place_call(
        self,
        local_call_id: int,
        serial_number: int,
        now: float,
        *,
        minimum_bps: int = 300,
        maximum_bps: int = 100_000_000,
        bearer_type: int = Bearer.ANY,
        framing_type: int = Framing.EITHER,
        phone_number: str = "",
        subaddress: str = "",
    ) -> bool:
        """As PNS, send Outgoing-Call-Request. ValueError when the Call ID is in use on this connection."""
        request = OutgoingCallRequest(
            local_call_id,
            serial_number,
            minimum_bps,
            maximum_bps,
            bearer_type,
            framing_type,
            self._config.receive_window,
            self._config.processing_delay,
            len(phone_number.encode()[:64]),
            phone_number,
            subaddress,
        )
        return self._place(Call(CallKind.PNS_OUTGOING, local_call_id, None, serial_number), request, now)

    def announce_call(
        self,
        local_call_id: int,
        serial_number: int,
        now: float,
        *,
        bearer_type: int = Bearer.DIGITAL,
        connect_speed: int = 100_000_000,
        physical_channel_id: int = 0,
        dialed_number: str = "",
        dialing_number: str = "",
        subaddress: str = "",
    ) -> bool:
        """As PAC, send Incoming-Call-Request. ValueError when the Call ID is in use on this connection."""
        request = IncomingCallRequest(
            local_call_id,
            serial_number,
            bearer_type,
            physical_channel_id,
            len(dialed_number.encode()[:64]),
            len(dialing_number.encode()[:64]),
            dialed_number,
            dialing_number,
            subaddress,
        )
        call = Call(CallKind.PAC_INCOMING, local_call_id, None, serial_number, connect_speed=connect_speed)
        return self._place(call, request, now)

    def accept_call(
        self,
        peer_call_id: int,
        local_call_id: int,
        now: float,
        *,
        connect_speed: int = 100_000_000,
        receive_window: int | None = None,
        physical_channel_id: int = 0,
    ) -> bool:
        """Answer an `AnswerCall` with yes. False when the call is gone by now.

        Speed in bits per second, window in packets. ValueError when the Call ID is in use on this connection.
        """
        call = self._book.waiting(peer_call_id)
        if call is None:
            return False
        self._claim(local_call_id)
        call.local_call_id = local_call_id
        terms = self._book.terms(connect_speed, receive_window, physical_channel_id)
        return self._book.step(call, CallInput.ACCEPT, now, Outcome(terms=terms))

    def refuse_call(self, peer_call_id: int, result_code: int, error_code: int, now: float, detail: str = "") -> bool:
        """Answer an `AnswerCall` with no. False when the call is gone by now.

        The codes are those of `OutgoingCallResult` (or `IncomingCallResult`) and `GeneralError`.
        """
        call = self._book.waiting(peer_call_id)
        outcome = Outcome(result_code, error_code, detail=detail or "refused by this side")
        return call is not None and self._book.step(call, CallInput.REFUSE, now, outcome)

    def clear_call(
        self,
        local_call_id: int,
        now: float,
        *,
        result_code: int = DisconnectResult.ADMIN_SHUTDOWN,
        error_code: int = GeneralError.NONE,
        cause_code: int = 0,
        statistics: str = "",
        detail: str = "cleared by this side",
    ) -> bool:
        """End a call: Call-Clear-Request as PNS, Call-Disconnect-Notify with these codes as PAC.

        False when there is no such call. `CallCleared` follows, at the PNS when the peer has confirmed it.
        """
        call = self._book.by_local(local_call_id)
        outcome = Outcome(result_code, error_code, cause_code, detail, statistics)
        return call is not None and self._book.step(call, CallInput.TERMINATE, now, outcome)

    def set_link_info(self, local_call_id: int, send_accm: int, receive_accm: int) -> bool:
        """Send Set-Link-Info for an established call. False when there is none."""
        call = self._book.by_local(local_call_id)
        if call is None or call.peer_call_id is None or call.state is not CallState.ESTABLISHED:
            return False
        self._outbox.send(SetLinkInfo(call.peer_call_id, send_accm, receive_accm))
        return True

    def _place(self, call: Call, request: ControlMessage, now: float) -> bool:
        if not self.established or call.kind.role is not self.role or self._book.full:
            return False
        self._claim(call.local_call_id)
        self._book.add(call)
        return self._book.step(call, CallInput.PLACE, now, Outcome(request=request))

    def _claim(self, local_call_id: int | None) -> None:
        if local_call_id is not None and self._book.by_local(local_call_id) is not None:
            raise ValueError(f"Call ID {local_call_id} is in use on this control connection")
