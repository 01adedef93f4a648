"""The calls of one control connection: who they are, their steps, and what each step sends and tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from holdfast.control.call import Call, CallAction, CallInput, CallKind, CallState
from holdfast.control.codes import DisconnectResult, Framing, GeneralError, IncomingCallResult, OutgoingCallResult
from holdfast.control.commands import AnswerCall
from holdfast.control.config import ControlConfig
from holdfast.control.messages import (
    CallClearRequest,
    CallDisconnectNotify,
    ControlMessage,
    IncomingCallConnected,
    IncomingCallReply,
    OutgoingCallReply,
)
from holdfast.control.outbox import Outbox
from holdfast.events import CallCleared, CallEstablished, CallRefused
from holdfast.machine import earliest

REMEMBERED: Final = 8
"""So many ended calls are remembered, because messages about them may still be on their way."""

_WAITING: Final = frozenset({CallState.WAIT_CS_ANS, CallState.WAIT_DECISION})


@dataclass(frozen=True, slots=True)
class Terms:
    """What we say in an acceptance. Speed in bits per second, window in packets, delay in tenths of a second."""

    connect_speed: int
    receive_window: int
    processing_delay: int
    physical_channel_id: int
    framing_type: int = Framing.SYNCHRONOUS


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why a call takes a step: the codes that are sent or were received, and a sentence.

    `request` is the message that PLACE sends; `terms` are what ACCEPT, or REPLY_ACCEPTED at the PAC, says.
    """

    result_code: int = 0
    error_code: int = 0
    cause_code: int = 0
    detail: str = ""
    statistics: str = ""
    request: ControlMessage | None = None
    terms: Terms | None = None


class CallBook:
    """Every call that is not idle. Steps are taken by the table of `holdfast.control.call`."""

    __slots__ = ("_calls", "_config", "_ended", "_outbox", "close_wanted")

    def __init__(self, config: ControlConfig, outbox: Outbox) -> None:
        self._config = config
        self._outbox = outbox
        self._calls: list[Call] = []
        self._ended: tuple[tuple[int, int], ...] = ()
        self.close_wanted = ""
        """Why the whole connection has to be closed, once that is so (section 3.2.1)."""

    # --- finding -------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def full(self) -> bool:
        """Whether no further call is allowed."""
        return len(self._calls) >= self._config.max_calls

    def by_local(self, call_id: int) -> Call | None:
        """Return the call that we know by this ID."""
        return next((call for call in self._calls if call.local_call_id == call_id), None)

    def by_peer(self, call_id: int) -> Call | None:
        """Return the call that the peer knows by this ID."""
        return next((call for call in self._calls if call.peer_call_id == call_id), None)

    def by_either(self, call_id: int) -> Call | None:
        """Return the call that a clear or a disconnect names.

        Sections 2.12 and 2.13 put the sender's Call ID there and some peers put ours. Where both would fit, a
        call that we already cleared is meant rather than one that lives; an ID that fits none names the only call
        whose peer ID we could not learn.
        """
        fitting = [call for call in (self.by_peer(call_id), self.by_local(call_id)) if call is not None]
        unnamed = [call for call in self._calls if call.peer_call_id is None]
        fitting = fitting or (unnamed if len(unnamed) == 1 else [])
        clearing = [call for call in fitting if call.state is CallState.WAIT_DISCONNECT]
        return next(iter(clearing or fitting), None)

    def waiting(self, peer_call_id: int) -> Call | None:
        """Return the call that waits for our owner's answer."""
        call = self.by_peer(peer_call_id)
        return call if call is not None and call.state in _WAITING else None

    def unanswered(self) -> list[AnswerCall]:
        """Return the questions to our owner that are still open."""
        return [call.request for call in self._calls if call.request is not None]

    def recently_ended(self, call_id: int) -> bool:
        """Whether a call of this ID, on either side, ended a short while ago."""
        return any(call_id in ids for ids in self._ended)

    # --- steps ---------------------------------------------------------------------------------------------

    def add(self, call: Call) -> None:
        """Take in an idle call, whose first step follows."""
        self._calls.append(call)

    def step(self, call: Call, what: CallInput, now: float, outcome: Outcome | None = None) -> bool:
        """Let `what` happen to the call; return whether its state allows that."""
        transition = call.transition(what)
        if transition is None:
            return False
        before, outcome = call.state, outcome or Outcome()
        call.state, actions = transition
        call.deadline = self._deadline(call.state, now)
        for action in actions:
            self._act(action, call, outcome)
            if action in (CallAction.TELL_CLEARED, CallAction.TELL_REFUSED):
                self._tell_end(action, call, outcome, _by_peer(before, what))
        if call.state not in _WAITING:
            self._settle_question(call)
        if call.state is CallState.IDLE:
            self._forget(call)
        return True

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` is due."""
        return earliest(call.deadline for call in self._calls)

    def handle_timer(self, now: float) -> None:
        """Let the calls that waited too long take their step."""
        for call in [call for call in self._calls if call.deadline is not None and call.deadline <= now]:
            self.step(call, CallInput.TIMEOUT, now, _timeout_outcome(call))

    def goodbye(self, now: float, detail: str) -> None:
        """End every call politely before the control connection is stopped, waiting for nobody."""
        for call in self._calls.copy():
            if call.state in _WAITING:
                self.step(call, CallInput.REFUSE, now, refusal(call.kind, GeneralError.NO_RESOURCE, detail))
            else:
                self.step(call, CallInput.TERMINATE, now, Outcome(DisconnectResult.ADMIN_SHUTDOWN, detail=detail))
        self.drop(DisconnectResult.ADMIN_SHUTDOWN, detail, by_peer=False)

    def drop(self, result_code: int, detail: str, *, by_peer: bool) -> None:
        """End every call without a word: the control connection is gone, and they with it (section 2.3)."""
        outcome = Outcome(result_code, detail=detail)
        for call in self._calls:
            told = CallAction.TELL_REFUSED if call.state in _WAITING else CallAction.TELL_CLEARED
            self._tell_end(told, call, outcome, by_peer and call.state is not CallState.WAIT_DISCONNECT)
            self._settle_question(call)
        self._calls.clear()

    # --- state as plain data -------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the calls as plain data."""
        return {"calls": [call.snapshot() for call in self._calls], "ended": [list(ids) for ids in self._ended]}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `snapshot` wrote down."""
        self._calls = [Call.restore(call) for call in state["calls"]]
        self._ended = tuple((local, peer) for local, peer in state["ended"])

    # --- inside --------------------------------------------------------------------------------------------

    def _deadline(self, state: CallState, now: float) -> float | None:
        if state in (CallState.IDLE, CallState.ESTABLISHED):
            return None
        wait = self._config.clear_timeout if state is CallState.WAIT_DISCONNECT else self._config.reply_timeout
        return now + wait

    def _settle_question(self, call: Call) -> None:
        """Whether answered or pointless: our owner need not answer any more."""
        if call.request is not None:
            self._outbox.withdraw(call.request)
            call.request = None

    def _forget(self, call: Call) -> None:
        self._calls.remove(call)
        self._ended = (*self._ended, call.ids())[-REMEMBERED:]

    def _act(self, action: CallAction, call: Call, outcome: Outcome) -> None:
        if action is CallAction.SEND_REQUEST and outcome.request is not None:
            self._outbox.send(outcome.request)
        elif action is CallAction.ASK and call.request is not None:
            self._outbox.command(call.request)
        elif action in (CallAction.SEND_ACCEPTANCE, CallAction.SEND_CONNECTED):
            self._send_acceptance(action, call, outcome.terms or self.terms())
        elif action in _SENDERS:
            self._outbox.send(_SENDERS[action](call, outcome))
        elif action is CallAction.TELL_ESTABLISHED:
            self._tell_established(call)
        elif action is CallAction.CLOSE_CONNECTION:
            self.close_wanted = outcome.detail

    def terms(self, connect_speed: int = 0, receive_window: int | None = None, physical_channel_id: int = 0) -> Terms:
        """Return what we say of a call, with the configuration's values where none is given."""
        window = self._config.receive_window if receive_window is None else receive_window
        return Terms(connect_speed, window, self._config.processing_delay, physical_channel_id)

    def _send_acceptance(self, action: CallAction, call: Call, terms: Terms) -> None:
        call.connect_speed = terms.connect_speed or call.connect_speed
        local, peer = call.ids()
        window, delay = terms.receive_window, terms.processing_delay
        if action is CallAction.SEND_CONNECTED:
            reply: ControlMessage = IncomingCallConnected(peer, call.connect_speed, window, delay, terms.framing_type)
        elif call.kind is CallKind.PNS_INCOMING:
            reply = IncomingCallReply(local, peer, IncomingCallResult.CONNECT, 0, window, delay)
        else:
            connected = OutgoingCallResult.CONNECTED
            reply = OutgoingCallReply(
                local, peer, connected, 0, 0, call.connect_speed, window, delay, terms.physical_channel_id
            )
        self._outbox.send(reply)

    def _tell_established(self, call: Call) -> None:
        local, peer = call.ids()
        self._outbox.event(CallEstablished(local, peer, call.serial_number, call.connect_speed, call.peer_window))

    def _tell_end(self, action: CallAction, call: Call, outcome: Outcome, by_peer: bool) -> None:
        local, peer = call.ids()
        codes = (int(outcome.result_code), int(outcome.error_code), outcome.detail)
        if action is CallAction.TELL_REFUSED:
            self._outbox.event(CallRefused(local, peer, *codes))
        else:
            self._outbox.event(CallCleared(local, by_peer, *codes))


def refusal(kind: CallKind, error_code: int, detail: str) -> Outcome:
    """Return the outcome for a call that is not wanted: General Error with that code."""
    result = OutgoingCallResult.GENERAL_ERROR if kind.role.value == "PAC" else IncomingCallResult.GENERAL_ERROR
    return Outcome(result, error_code, detail=detail)


def refusal_message(kind: CallKind, peer_call_id: int, outcome: Outcome) -> ControlMessage:
    """Return the reply that refuses the peer's call. Our Call ID in it is 0: none was chosen."""
    if kind is CallKind.PNS_INCOMING:
        return IncomingCallReply(0, peer_call_id, outcome.result_code, outcome.error_code, 0, 0)
    return OutgoingCallReply(0, peer_call_id, outcome.result_code, outcome.error_code, outcome.cause_code, 0, 0, 0, 0)


def _refuse(call: Call, outcome: Outcome) -> ControlMessage:
    return refusal_message(call.kind, call.ids()[1], outcome)


def _clear(call: Call, _outcome: Outcome) -> ControlMessage:
    return CallClearRequest(call.ids()[0])


def _notify(call: Call, outcome: Outcome) -> ControlMessage:
    # Without a Call ID of ours (the call was cleared before we answered) the peer's own is all there is to say.
    call_id = call.peer_call_id if call.local_call_id is None else call.local_call_id
    return CallDisconnectNotify(
        call_id or 0, outcome.result_code, outcome.error_code, outcome.cause_code, outcome.statistics
    )


_SENDERS: Final[dict[CallAction, Callable[[Call, Outcome], ControlMessage]]] = {
    CallAction.SEND_REFUSAL: _refuse,
    CallAction.SEND_CLEAR_REQUEST: _clear,
    CallAction.SEND_DISCONNECT_NOTIFY: _notify,
}


def _by_peer(before: CallState, what: CallInput) -> bool:
    return before is not CallState.WAIT_DISCONNECT and what in (
        CallInput.CLEAR_REQUEST,
        CallInput.DISCONNECT_NOTIFY,
        CallInput.REPLY_REFUSED,
    )


def _timeout_outcome(call: Call) -> Outcome:
    if call.kind is CallKind.PAC_OUTGOING:
        # Section 3.2.4.1 asks for a non-zero Error Code when a timer expires.
        codes = (OutgoingCallResult.TIME_OUT, GeneralError.NO_RESOURCE)
        return Outcome(*codes, detail="the call was not answered in time")
    if call.state is CallState.WAIT_DECISION:
        return Outcome(IncomingCallResult.DO_NOT_ACCEPT, detail="the call was not answered in time")
    if call.state is CallState.WAIT_DISCONNECT:
        return Outcome(detail="the peer sent no Call-Disconnect-Notify")
    return Outcome(detail=f"the peer did not go on with a call in state {call.state}")
