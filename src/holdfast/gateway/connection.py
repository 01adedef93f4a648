"""One TCP connection for control messages: octets in and out, commands and events to the gateway."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.alarm import Alarm
from holdfast.control.codes import CauseCode, DisconnectResult, GeneralError
from holdfast.control.commands import AnswerCall, CloseTransport
from holdfast.control.connection import ConnectionMachine
from holdfast.errors import ControlEnd, DisconnectReason, where_raised
from holdfast.events import (
    CallCleared,
    CallEstablished,
    CallRefused,
    Connected,
    ControlClosed,
    Direction,
    Event,
    InternalFault,
)
from holdfast.gateway.health import control_heard, control_lost
from holdfast.network.tcp_info import TcpPath, tcp_end, tcp_path
from holdfast.policy.admission import Refused

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

WRITE_LIMIT = 64 * 1024
"""Octets that may wait for a client that does not read; control messages are small, so it is gone or hostile."""

_CONTROL_SILENT = (DisconnectReason.CONTROL_LOST, DisconnectReason.ECHO_TIMEOUT)
"""Ends of a control connection that nobody wished: GRE may live on."""

_BY_US = (DisconnectResult.ADMIN_SHUTDOWN, GeneralError.NONE, CauseCode.NONE)
_NOT_NOW = (DisconnectResult.GENERAL_ERROR, GeneralError.NO_RESOURCE, CauseCode.TEMPORARY_FAILURE)
_DISCONNECT_CODES: dict[DisconnectReason | None, tuple[int, int, int]] = {DisconnectReason.AUTH_UNAVAILABLE: _NOT_NOW}
"""What a Call-Disconnect-Notify says (RFC 2637 section 2.13), where the usual would be wrong."""


class ControlConnection(asyncio.Protocol):
    """Drives one `ConnectionMachine`."""

    __slots__ = (
        "_alarm",
        "_dropped",
        "_end_of_file",
        "_gateway",
        "_idle",
        "_machine",
        "_path",
        "_transport",
        "_unwelcome",
        "client",
        "connection_id",
        "last_heard",
        "server",
        "subscribers",
        "tape",
    )

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._machine: ConnectionMachine = gateway.new_control_machine()
        self._alarm = Alarm(gateway.loop, self._timer_due)
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self.subscribers: dict[int, Subscriber] = {}
        self.tape = gateway.recorder.control_tape()
        self._unwelcome = False
        self._end_of_file = False
        self._dropped = ""
        self._path = TcpPath()
        self.last_heard = 0.0
        self.connection_id = ""
        self.client = self.server = ""

    # --- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if client is None:  # the client was gone before we looked
            transport.abort()
            return
        self.client, self.server = client[0], server[0]
        transport.set_write_buffer_limits(high=WRITE_LIMIT)
        with self._guarded():
            self._begin(f"{client[0]}:{client[1]}", f"{server[0]}:{server[1]}")

    def _begin(self, client: str, server: str) -> None:
        refused = self._gateway.admit(self)
        if refused is not None:
            self._turn_away(refused)
            return
        interface = self._gateway.interfaces.holding(self.server)
        self._measure()
        path = self._path
        connected = Connected(client, server, interface, path.round_trip, path.retransmits)
        self._gateway.report(connected, self.context())
        self._machine.accepted(self._gateway.now())
        self.drive()

    def _turn_away(self, refused: Refused) -> None:
        """Wait for the client's introduction, and answer that it is not wanted; a crowd is not waited for."""
        self._unwelcome = True
        answer = self._gateway.door.answer(self, refused)
        if answer is None:
            self.abort()
            return
        self._machine.refuse(*answer, refused.detail, self._gateway.now())
        self.drive()

    def data_received(self, data: bytes) -> None:
        """The client sent something."""
        self.last_heard = self._gateway.now()
        with self._guarded():
            self._measure()
            self.tape.message(Direction.RECEIVED, data)
            self._machine.receive(data, self.last_heard)
            self.drive()
        for subscriber in list(self.subscribers.values()):
            if subscriber.missed:
                control_heard(self._gateway, subscriber)

    def pause_writing(self) -> None:
        """The client does not read what it is sent: it will not read a goodbye either."""
        self._dropped = "we dropped the TCP connection: the client does not read what it is sent"
        self.abort()

    def eof_received(self) -> None:
        """The client closed its half of TCP (FIN); the transport closes the other one."""
        self._end_of_file = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone: so is every call on it (RFC 2637 section 3.1.3)."""
        how = tcp_end(exc, end_of_file=self._end_of_file)
        closed = self._dropped or "the client closed the TCP connection"
        detail = f"the TCP connection was lost: {exc}" if exc else closed
        with self._guarded():
            self._gateway.paths.control_ended(self.path(), self._path)
            self._machine.connection_lost(self._gateway.now(), detail, how)
            self.drive()
        for subscriber in list(self.subscribers.values()):
            if subscriber.grace_until is None:
                with self._gateway.guarded(subscriber):
                    control_lost(self._gateway, subscriber, detail)
        self._alarm.cancel()
        self._expect_call(False)
        self._gateway.connection_closed(self)
        self._transport = None

    # --- for the gateway -----------------------------------------------------------------------------------

    def context(self) -> dict[str, Any]:
        """Return the envelope that every event of this connection carries."""
        return {"connection": self.connection_id, "client_ip": self.client, "server_ip": self.server}

    @property
    def end(self) -> ControlEnd:
        """How it ended, `ControlEnd.OPEN` as long as it has not."""
        return self._machine.end

    def path(self) -> TcpPath:
        """Return what TCP knows of the way to the client at the moment."""
        return tcp_path(self._transport.get_extra_info("socket")) if self._transport else TcpPath()

    @property
    def vendor(self) -> str:
        """What the client says of its maker."""
        return self._machine.peer.vendor if self._machine.peer else ""

    def accept_call(self, peer_call_id: int, local_call_id: int) -> None:
        """Answer a call request with yes."""
        self._machine.accept_call(peer_call_id, local_call_id, self._gateway.now())

    def refuse_call(self, peer_call_id: int, result_code: int, error_code: int) -> None:
        """Answer a call request with no, and why."""
        self._machine.refuse_call(peer_call_id, result_code, error_code, self._gateway.now())

    def clear_call(self, local_call_id: int, reason: DisconnectReason | None = None) -> None:
        """Tell the client that its call is over, in the codes that fit the reason."""
        result, error, cause = _DISCONNECT_CODES.get(reason, _BY_US)
        now = self._gateway.now()
        self._machine.clear_call(local_call_id, now, result_code=result, error_code=error, cause_code=cause)
        self.drive()

    def trace(self, wanted: bool) -> None:
        """Let each control message be told as an event, or not."""
        self._machine.trace = wanted

    def probe(self) -> None:
        """Ask whether the client is there, without losing patience sooner than otherwise."""
        self._machine.probe(self._gateway.now(), self._gateway.settings.control.echo_timeout)
        self.drive()

    def abort(self) -> None:
        """Drop the TCP connection."""
        if self._transport is not None:
            self._transport.abort()

    def say_goodbye(self, reason: DisconnectReason) -> None:
        """Tell the client, in one go, that its calls and the connection are over (Call-Disconnect-Notify,
        Stop-Control-Connection-Request). The sessions on it end with `settle`, or when the client answers."""
        with self._guarded():
            self._machine.close(reason, self._gateway.now())
            self._flush()

    def settle(self) -> None:
        """Act on what `say_goodbye` brought about."""
        with self._guarded():
            self.drive()

    def drive(self) -> None:
        """Carry out what the machine wants until it wants nothing more."""
        while commands := self._machine.commands():
            self._flush()
            for command in commands:
                self._execute(command)
        self._flush()
        events = self._machine.events()
        ending = next((event for event in events if isinstance(event, ControlClosed)), None)
        for event in events:
            self._take_note(event, ending)
        self._alarm.arm(self._machine.deadline)
        self._expect_call(self._machine.established and not self._machine.call_count)

    # --- inside --------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """TCP has just heard the client: what it measured is fresh."""
        before, self._path = self._path, self.path()
        self._gateway.paths.control_heard(self._path, before)

    def _execute(self, command: object) -> None:
        if isinstance(command, AnswerCall):
            self._gateway.answer_call(self, command)
        elif isinstance(command, CloseTransport) and self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        octets = b"".join(self._machine.outgoing())
        if octets and self._transport is not None:
            self.tape.message(Direction.SENT, octets)
            self._transport.write(octets)

    def _take_note(self, event: Event, ending: ControlClosed | None) -> None:
        """Log a fact and act on it. A call that ends with its connection ends for the connection's reason."""
        if self._unwelcome:
            return  # the log has a LIMIT about it, and strangers shall not fill it with more
        subscriber = self.subscribers.get(getattr(event, "local_call_id", -1))
        self._gateway.report(event, subscriber.context() if subscriber else self.context())
        if subscriber is None:
            return
        if isinstance(event, CallEstablished):
            self._gateway.call_established(subscriber)
        elif isinstance(event, CallCleared | CallRefused) and ending:
            if ending.reason in _CONTROL_SILENT:
                control_lost(self._gateway, subscriber, ending.detail)
            else:
                self._gateway.call_gone(subscriber, ending.reason, ending.detail)
        elif isinstance(event, CallCleared | CallRefused):
            self._gateway.call_gone(subscriber, DisconnectReason.USER_REQUEST, event.detail)

    def _expect_call(self, idle: bool) -> None:
        """A connection without a call is kept for a while: some clients keep theirs between calls."""
        limit = self._gateway.settings.idle_timeout
        if idle and self._idle is None and limit:
            self._idle = self._gateway.loop.call_later(limit, self._no_call_came, limit)
        elif not idle and self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _no_call_came(self, limit: float) -> None:
        with self._guarded():
            self._machine.close(DisconnectReason.IDLE_TIMEOUT, self._gateway.now(), f"no call for {limit:g} s")
            self.drive()

    def _timer_due(self) -> None:
        with self._guarded():
            self._machine.handle_timer(self._gateway.now())
            self.drive()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let a fault of ours inside end the connection, with its calls: one without a timer would stay for ever."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection must not stay as it is
            self._gateway.report(InternalFault("control connection", where_raised(error)), self.context())
            self.abort()
