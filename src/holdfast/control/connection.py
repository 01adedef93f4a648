"""The control connection of RFC 2637, either role, either end of the TCP connection, any number of calls.

A machine as `holdfast.machine.Machine` describes it. It starts with `open(now)` at the end that made the TCP
connection and with `accepted(now)` at the other. Verbs return whether the state of things allowed them; none
raises because of what the peer did.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from holdfast.control import introduction
from holdfast.control.call_messages import CallMessages
from holdfast.control.call_verbs import CallVerbs
from holdfast.control.codes import (
    DisconnectResult,
    GeneralError,
    GeneralResult,
    Role,
    StartResult,
    StopReason,
)
from holdfast.control.commands import CloseTransport, ControlCommand
from holdfast.control.config import ControlConfig
from holdfast.control.connection_table import (
    TABLE,
    ConnectionAction,
    ConnectionInput,
    ConnectionState,
    ControlTimer,
)
from holdfast.control.messages import (
    ControlMessage,
    EchoReply,
    EchoRequest,
    StartControlConnectionReply,
    StartControlConnectionRequest,
    StopControlConnectionReply,
    StopControlConnectionRequest,
)
from holdfast.control.stream import MessageStream, StreamViolation, ViolationKind
from holdfast.errors import ControlEnd, DisconnectReason
from holdfast.events import ControlClosed, ControlEstablished, ControlViolation, Event
from holdfast.machine import Timers, earliest

__all__ = ["ConnectionMachine", "Role"]

_IDENTIFIERS = 1 << 32


class ConnectionMachine(CallVerbs):
    """One control connection. Drain `outgoing`, `commands` and `events` after each call of anything else."""

    __slots__ = (
        "_echo_identifier",
        "_end",
        "_messages",
        "_peer",
        "_refusal",
        "_state",
        "_stream",
        "_timers",
        "_violations",
    )

    def __init__(self, role: Role, config: ControlConfig) -> None:
        super().__init__(role, config)
        self._state = ConnectionState.IDLE
        self._messages = CallMessages(role, config, self._book, self._outbox)
        self._stream = MessageStream()
        self._timers: Timers[ControlTimer] = Timers()
        self._echo_identifier = 0
        self._violations = 0
        self._peer: ControlEstablished | None = None
        self._refusal: tuple[int, int] | None = None
        self._end: ControlClosed | None = None

    # --- the face of a machine -----------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Take octets of the TCP stream, cut anywhere. Never raises for what a peer sent."""
        if self._state is ConnectionState.IDLE and not self._timers.running(ControlTimer.SETUP):
            self.accepted(now)
        if self._state in (ConnectionState.CLOSED, ConnectionState.YIELDED):
            return
        for item in self._stream.feed(data):
            if self.closed:
                return
            if isinstance(item, StreamViolation):
                self._take_violation(item, now)
            else:
                self._take_message(item, now)

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next, or None."""
        return earliest((self._timers.deadline, self._book.deadline))

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due at `now`."""
        for timer in self._timers.expired(now):
            self._timer_expired(timer, now)
        self._book.handle_timer(now)
        if self._book.close_wanted and not self.closed:
            self._abort(DisconnectReason.NEGOTIATION_FAILED, self._book.close_wanted, now)

    def outgoing(self) -> list[bytes]:
        """Drain what must be sent to the peer, in order."""
        return self._outbox.drain_octets()

    def commands(self) -> list[ControlCommand]:
        """Drain `AnswerCall` and `CloseTransport`. What is outgoing is to be sent before they are carried out."""
        return self._outbox.drain_commands()

    def events(self) -> list[Event]:
        """Drain the facts that happened."""
        return self._outbox.drain_events()

    # --- the connection ------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the connection is over. What is outgoing may still be sent."""
        return self._state is ConnectionState.CLOSED

    @property
    def established(self) -> bool:
        """Whether calls can be made."""
        return self._state is ConnectionState.ESTABLISHED

    @property
    def state(self) -> ConnectionState:
        """The state in the sense of section 3.1."""
        return self._state

    @property
    def peer(self) -> ControlEstablished | None:
        """What the peer said of itself, once it has."""
        return self._peer

    @property
    def end(self) -> ControlEnd:
        """How it ended, `ControlEnd.OPEN` as long as it has not."""
        return self._ending().control_end if self.closed else ControlEnd.OPEN

    def accepted(self, now: float) -> None:
        """The peer made this TCP connection: wait for its Start-Control-Connection-Request."""
        if self._state is ConnectionState.IDLE:
            self._timers.start(ControlTimer.SETUP, now + self._config.setup_timeout)

    def refuse(self, result: StartResult, error: GeneralError, detail: str, now: float) -> None:
        """The peer made this TCP connection and is not wanted: answer its introduction with `result`, then close."""
        if self._state is ConnectionState.IDLE:
            self.accepted(now)
            self._refusal = (result, error)
            self._end_with(DisconnectReason.LIMIT_REACHED, detail)

    def open(self, now: float) -> None:
        """We made this TCP connection: send Start-Control-Connection-Request."""
        if self._state is ConnectionState.IDLE:
            self.accepted(now)
            self._happen(ConnectionInput.OPEN, now)

    def close(self, reason: DisconnectReason, now: float, detail: str = "") -> None:
        """Say goodbye on every call and on the connection, and wait a bounded time for the answer."""
        if not self.closed:
            self._end_with(reason, detail or f"closed by this side: {reason}")
            self._happen(ConnectionInput.TERMINATE, now)

    def probe(self, now: float, patience: float) -> None:
        """Ask with an Echo-Request now; a peer that has not answered in `patience` seconds is given up."""
        if self.established and not self.awaits_echo:
            self._send_echo(now)
            self._timers.start(ControlTimer.ECHO_REPLY, now + patience)

    @property
    def awaits_echo(self) -> bool:
        """Whether an Echo-Request of ours is unanswered."""
        return self._timers.running(ControlTimer.ECHO_REPLY)

    def connection_lost(
        self, now: float, detail: str = "the TCP connection ended", how: ControlEnd = ControlEnd.FIN
    ) -> None:
        """The TCP connection is gone, whoever closed it. Every call on it is over."""
        if not self.closed:
            self._end_with(DisconnectReason.CONTROL_LOST, detail, how)
            self._happen(ConnectionInput.LOST, now)

    def lose_collision(self, now: float) -> None:
        """The peer's connection to us prevails over this one (`holdfast.control.collision`): close without a word."""
        if not self.closed:
            self._end_with(DisconnectReason.REPLACED, "the peer's own connection prevails (collision)")
            self._happen(ConnectionInput.CUT, now)

    def win_collision(self, now: float) -> None:
        """Our own connection to the peer prevails over this one: say nothing here and wait until the peer closes."""
        if self._state is ConnectionState.IDLE:
            self.accepted(now)
            self._happen(ConnectionInput.COLLISION_WON, now)

    # --- state as plain data -------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data. RuntimeError unless everything is drained: it would be lost."""
        if self._outbox.pending:
            raise RuntimeError("drain outgoing, commands and events before a snapshot")
        return {
            "role": self.role.value,
            "state": self._state.value,
            "stream": self._stream.snapshot(),
            "calls": self._book.snapshot(),
            "timers": [[timer.value, at] for timer, at in self._timers.snapshot()],
            "echo_identifier": self._echo_identifier,
            "violations": self._violations,
            "peer": self._peer.fields() if self._peer else None,
            "end": self._end.fields() if self._end else None,
            "refusal": [*map(int, self._refusal)] if self._refusal else None,
        }

    @classmethod
    def restore(cls, config: ControlConfig, state: dict[str, Any]) -> "ConnectionMachine":
        """Return the machine that `snapshot` wrote down, on the same clock."""
        machine = cls(Role(state["role"]), config)
        machine._state = ConnectionState(state["state"])
        machine._stream = MessageStream.restore(state["stream"])
        machine._book.load(state["calls"])
        machine._timers.restore((ControlTimer(timer), at) for timer, at in state["timers"])
        machine._echo_identifier = state["echo_identifier"]
        machine._violations = state["violations"]
        machine._peer = ControlEstablished(**state["peer"]) if state["peer"] else None
        machine._end = introduction.ended(state["end"])
        machine._refusal = tuple(state["refusal"]) if state["refusal"] else None
        return machine

    # --- what arrives --------------------------------------------------------------------------------------

    def _take_violation(self, violation: StreamViolation, now: float) -> None:
        if violation.kind is ViolationKind.MANAGEMENT_MESSAGE:
            self._violate(violation.detail, now)
            return
        self._outbox.event(ControlViolation(violation.detail))
        if violation.fatal:
            # Section 1.4: loss of synchronization must result in immediate closing of the TCP session.
            self._end_with(DisconnectReason.PROTOCOL_FAILURE, violation.detail)
            self._happen(ConnectionInput.CUT, now)
        else:
            # Section 3: an invalid message should close the connection.
            self._abort(DisconnectReason.PROTOCOL_FAILURE, violation.detail, now)

    def _take_message(self, message: ControlMessage, now: float) -> None:
        self._outbox.received(message)
        self._rest_echo(now)
        match message:
            case StartControlConnectionRequest() | StartControlConnectionReply():
                self._take_start(message, now)
            case StopControlConnectionRequest():
                self._end_with(*introduction.stopped_by_peer(self.role, message.reason), ControlEnd.STOP)
                self._happen(ConnectionInput.STOP_REQUEST, now, message.name)
            case StopControlConnectionReply():
                self._happen(ConnectionInput.STOP_REPLY, now, message.name)
            case EchoRequest():
                self._answer_echo(message, now)
            case EchoReply():
                self._take_echo_reply(message, now)
            case _:
                self._take_call_message(message, now)

    def _take_start(self, message: StartControlConnectionRequest | StartControlConnectionReply, now: float) -> None:
        if not self.established:
            self._peer = introduction.introduced(message)
        what = introduction.start_input(message)
        if what is ConnectionInput.START_REQUEST and self._refusal is not None:
            what = ConnectionInput.START_REQUEST_UNWELCOME
        if self._state is ConnectionState.WAIT_CTL_REPLY or what is ConnectionInput.START_REQUEST_BAD_VERSION:
            self._note_failing_start(what, message)
        self._happen(what, now, message.name)

    def _note_failing_start(
        self, what: ConnectionInput, message: StartControlConnectionRequest | StartControlConnectionReply
    ) -> None:
        if not self.established and (detail := introduction.start_failure(what, message)):
            self._end_with(DisconnectReason.NEGOTIATION_FAILED, detail)

    def _take_call_message(self, message: ControlMessage, now: float) -> None:
        if self._state is ConnectionState.WAIT_STOP_REPLY:
            return  # every call is over for us; the peer may not know yet
        if self.established:
            fault = self._messages.take(message, now)
        else:
            self._messages.refuse_unconnected(message)
            fault = f"{message.name} before the control connection is established"
        if fault:
            self._violate(fault, now)

    # --- echo (sections 2.5, 2.6 and 3.1.4) ----------------------------------------------------------------

    def _rest_echo(self, now: float) -> None:
        """Any message shows that the peer is there; only an Echo-Reply answers an Echo-Request."""
        waits_for_reply = self._timers.running(ControlTimer.ECHO_REPLY)
        if self.established and self._config.echo_interval and not waits_for_reply:
            self._timers.start(ControlTimer.ECHO, now + self._config.echo_interval)

    def _send_echo(self, now: float) -> None:
        self._timers.stop(ControlTimer.ECHO)
        self._echo_identifier = (self._echo_identifier + 1) % _IDENTIFIERS
        self._timers.start(ControlTimer.ECHO_REPLY, now + self._config.echo_timeout)
        self._outbox.send(EchoRequest(self._echo_identifier))

    def _answer_echo(self, message: EchoRequest, now: float) -> None:
        if self._state in (ConnectionState.IDLE, ConnectionState.WAIT_CTL_REPLY):
            not_yet = (GeneralResult.GENERAL_ERROR, GeneralError.NOT_CONNECTED)
            self._outbox.send(EchoReply(message.identifier, *not_yet))
            self._violate(f"{message.name} before the control connection is established", now)
        else:
            self._outbox.send(EchoReply(message.identifier, GeneralResult.OK, GeneralError.NONE))

    def _take_echo_reply(self, message: EchoReply, now: float) -> None:
        if not self._timers.running(ControlTimer.ECHO_REPLY):
            if self._state is not ConnectionState.WAIT_STOP_REPLY:
                self._violate(f"{message.name} without an Echo-Request", now)
        elif message.identifier != self._echo_identifier:
            self._violate(
                f"{message.name} with identifier {message.identifier} instead of {self._echo_identifier}", now
            )
        else:
            # Whatever the result code says, the peer is there.
            self._timers.stop(ControlTimer.ECHO_REPLY)
            self._rest_echo(now)

    # --- transitions ---------------------------------------------------------------------------------------

    def _happen(self, what: ConnectionInput, now: float, name: str = "") -> None:
        transition = TABLE.get((self._state, what))
        if transition is None:
            self._violate(f"{name or what} in state {self._state}", now)
            return
        before, (self._state, actions) = self._state, transition
        if self._state is not before:
            self._start_timers(now)
        for action in actions:
            self._ACTIONS[action](self, now)

    def _start_timers(self, now: float) -> None:
        """Wait for what the new state waits for. The set-up time runs through all states before `established`."""
        if self._state in (ConnectionState.WAIT_CTL_REPLY, ConnectionState.YIELDED):
            return
        self._timers.stop_all()
        if self._state is ConnectionState.ESTABLISHED:
            self._rest_echo(now)
        elif self._state is ConnectionState.WAIT_STOP_REPLY:
            self._timers.start(ControlTimer.STOP, now + self._config.stop_timeout)

    def _timer_expired(self, timer: ControlTimer, now: float) -> None:
        if timer is ControlTimer.ECHO:
            self._send_echo(now)
            return
        if timer is ControlTimer.SETUP:
            detail = f"no Start-Control-Connection exchange within {self._config.setup_timeout:g} s"
            self._end_with(DisconnectReason.NEGOTIATION_FAILED, detail)
        elif timer is ControlTimer.ECHO_REPLY:
            detail = f"no Echo-Reply within {self._config.echo_timeout:g} s"
            self._end_with(DisconnectReason.ECHO_TIMEOUT, detail, ControlEnd.ECHO)
        self._happen(ConnectionInput.TIMEOUT, now)

    def _violate(self, detail: str, now: float) -> None:
        self._outbox.event(ControlViolation(detail))
        self._violations += 1
        if self._violations >= self._config.max_violations and not self.closed:
            self._abort(DisconnectReason.PROTOCOL_FAILURE, f"{self._violations} violations, the last: {detail}", now)

    def _abort(self, reason: DisconnectReason, detail: str, now: float) -> None:
        self._end_with(reason, detail)
        self._happen(ConnectionInput.ABORT, now)

    def _end_with(self, reason: DisconnectReason, detail: str, how: ControlEnd = ControlEnd.LOCAL) -> None:
        """Note why the connection ends; the first cause is the cause."""
        self._end = self._end or ControlClosed(reason, detail, how)

    # --- actions -------------------------------------------------------------------------------------------

    def _send_start_request(self, _now: float) -> None:
        self._outbox.send(introduction.start_request(self._config))

    def _send_start_reply(self, _now: float) -> None:
        self._outbox.send(introduction.start_reply(self._config, StartResult.OK))

    def _send_start_reply_bad_version(self, _now: float) -> None:
        self._outbox.send(introduction.start_reply(self._config, StartResult.VERSION_NOT_SUPPORTED))

    def _send_start_reply_exists(self, _now: float) -> None:
        self._outbox.send(introduction.start_reply(self._config, StartResult.ALREADY_EXISTS))

    def _send_start_reply_refused(self, _now: float) -> None:
        self._outbox.send(introduction.start_reply(self._config, *(self._refusal or (StartResult.GENERAL_ERROR,))))

    def _send_stop_request(self, _now: float) -> None:
        leaving = self._end is not None and self._end.reason is DisconnectReason.GATEWAY_SHUTDOWN
        self._outbox.send(StopControlConnectionRequest(StopReason.STOP_LOCAL_SHUTDOWN if leaving else StopReason.NONE))

    def _send_stop_request_bad_version(self, _now: float) -> None:
        self._outbox.send(StopControlConnectionRequest(StopReason.STOP_PROTOCOL))

    def _send_stop_reply(self, _now: float) -> None:
        self._outbox.send(StopControlConnectionReply(GeneralResult.OK, GeneralError.NONE))

    def _end_calls(self, now: float) -> None:
        self._book.goodbye(now, self._ending().detail)

    def _calls_cleared(self, _now: float) -> None:
        self._book.drop(DisconnectResult.REQUEST, self._ending().detail, by_peer=True)

    def _drop_calls(self, _now: float) -> None:
        self._book.drop(DisconnectResult.LOST_CARRIER, self._ending().detail, by_peer=False)

    def _tell_established(self, _now: float) -> None:
        if self._peer is not None:
            self._outbox.event(self._peer)

    def _note_second_start(self, now: float) -> None:
        self._violate("Start-Control-Connection-Request on an established control connection", now)

    def _close(self, now: float) -> None:
        self._tell_closed(now)
        self._outbox.command(CloseTransport(self._ending().detail))

    def _tell_closed(self, _now: float) -> None:
        self._outbox.event(self._ending())

    def _ending(self) -> ControlClosed:
        return self._end or ControlClosed(DisconnectReason.INTERNAL_ERROR, "no cause was noted")

    _ACTIONS: ClassVar[dict[ConnectionAction, Callable[[Any, float], None]]] = {
        ConnectionAction.SEND_START_REQUEST: _send_start_request,
        ConnectionAction.SEND_START_REPLY: _send_start_reply,
        ConnectionAction.SEND_START_REPLY_BAD_VERSION: _send_start_reply_bad_version,
        ConnectionAction.SEND_START_REPLY_EXISTS: _send_start_reply_exists,
        ConnectionAction.SEND_START_REPLY_REFUSED: _send_start_reply_refused,
        ConnectionAction.SEND_STOP_REQUEST: _send_stop_request,
        ConnectionAction.SEND_STOP_REQUEST_BAD_VERSION: _send_stop_request_bad_version,
        ConnectionAction.SEND_STOP_REPLY: _send_stop_reply,
        ConnectionAction.END_CALLS: _end_calls,
        ConnectionAction.CALLS_CLEARED: _calls_cleared,
        ConnectionAction.DROP_CALLS: _drop_calls,
        ConnectionAction.TELL_ESTABLISHED: _tell_established,
        ConnectionAction.VIOLATION: _note_second_start,
        ConnectionAction.TELL_CLOSED: _tell_closed,
        ConnectionAction.CLOSE: _close,
    }
