"""One try at one tunnel, from TCP to the goodbye: the PNS's machines on the event loop.

`connect` returns when traffic can pass or raises `TunnelDownError`; `wait_down` returns when the tunnel is gone.
What the host needs (addresses, routes) is not done here.
"""

import asyncio
import errno
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from holdfast.alarm import Alarm
from holdfast.control.codes import Role
from holdfast.control.commands import AnswerCall, CloseTransport
from holdfast.control.connection import ConnectionMachine
from holdfast.dataplane.interface import CallPath, Counters, Keepalive, Upcall, UpcallKind
from holdfast.dialer.engine_call import EngineCall, read_echo_reply
from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.machines import control_config, link_config
from holdfast.dialer.outcome import CLEARED, Down, Judge, TunnelDownError, Up, no_judge
from holdfast.dialer.phases import Phase, Step, Stopwatch
from holdfast.dialer.settings import TunnelSettings
from holdfast.errors import DisconnectReason, where_raised
from holdfast.events import (
    AuthenticationSucceeded,
    CallCleared,
    CallEstablished,
    CallRefused,
    Connected,
    ControlClosed,
    ControlEstablished,
    EchoLost,
    Event,
    InternalFault,
    IpOpened,
    LcpOpened,
    MppeOpened,
    Recovered,
    SendFailed,
    SessionEnded,
)
from holdfast.network.tcp_info import tcp_end, tcp_path
from holdfast.ppp.commands import OpenNetwork
from holdfast.ppp.link import Link
from holdfast.secret import Secret
from holdfast.session import ClearCall, Finished, Session, SessionConfig

EVERYTHING = ("0.0.0.0/0",)
"""What a dialer's call carries: any destination, any source."""
LINGER = 1.0
"""Seconds that a server whose GRE is silent has to answer on the control connection, before it is given up."""
WRITE_LIMIT = 64 * 1024
"""Octets on the control connection that the server has not read; ordinary ones have some hundreds."""
PROBE = Keepalive(0.3, 3, adaptive=False)
PROBE_PATIENCE = 1.1
PROBE_LOOK = 0.03
"""Seconds: how often the count of answers is looked at during a probe."""

Report = Callable[[Event, Mapping[str, Any]], None]


class Tunnel(asyncio.Protocol):
    """One try. Use it once."""

    def __init__(
        self,
        settings: TunnelSettings,
        password: Secret,
        port: EnginePort,
        *,
        report: Report = lambda _event, _context: None,
        judge: Judge = no_judge,
        listener: Callable[[Step], None] = lambda _step: None,
        networks: tuple[str, ...] = EVERYTHING,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.settings = settings
        self.watch = Stopwatch(self._loop.time, listener)
        self.call = EngineCall(port)
        self.echo_answered: Callable[[int, int], None] = lambda _identifier, _size: None
        self._report, self._judge, self._networks = report, judge, networks
        self._machine = ConnectionMachine(Role.PNS, control_config(settings))
        self._link = Link(link_config(settings, password), secrets.token_bytes)
        self._session = Session(secrets.token_hex(8), self._link, SessionConfig(0, settings.setup_timeout))
        self._alarm = Alarm(self._loop, self._timer_due, self.failed)
        self._transport: asyncio.Transport | None = None
        self._server = settings.host
        self._own = ""
        self._opened: IpOpened | None = None
        self._encryption = ""
        self._began = self._loop.time()
        self._silent = self._answers = self._probing = self._end_of_file = False
        self._down: Down | None = None
        self._up: asyncio.Future[Up] = self._loop.create_future()
        self._gone: asyncio.Future[Down] = self._loop.create_future()

    # --- verbs ---------------------------------------------------------------------------------------------

    async def connect(self, address: str) -> Up:
        """Dial the server at this IPv4 address. TunnelDownError when the tunnel does not come up."""
        self._server = address
        where = f"{address}:{self.settings.port}"
        try:
            async with asyncio.timeout(self.settings.connect_timeout):
                await self._loop.create_connection(lambda: self, address, self.settings.port)
        except TimeoutError:
            evidence = f"no answer to TCP within {self.settings.connect_timeout:g} s"
            raise TunnelDownError(Down(DisconnectReason.NETWORK_ERROR, evidence), where) from None
        except OSError as error:
            evidence = f"TCP failed: {os.strerror(error.errno) if error.errno else error}"
            raise TunnelDownError(Down(DisconnectReason.NETWORK_ERROR, evidence), where) from error
        outcomes: tuple[asyncio.Future[Any], ...] = (self._up, self._gone)
        await asyncio.wait(outcomes, return_when=asyncio.FIRST_COMPLETED)
        if self._up.done():
            return self._up.result()
        raise TunnelDownError(self._gone.result(), where)

    async def wait_down(self) -> Down:
        """Wait until the tunnel is gone and everything it held is released."""
        return await asyncio.shield(self._gone)

    async def close(self, reason: DisconnectReason, evidence: str, patience: float = 4.0) -> Down:
        """Say goodbye (LCP, call, control connection) and wait until it is answered, at most `patience` seconds."""
        now = self._loop.time()
        if self.call:
            self._session.close(reason, evidence, now)
        else:
            self._end(Down(reason, evidence))
            self._machine.close(reason, now)
        self._drive()
        if self._transport is None:
            self._finish()
        try:
            async with asyncio.timeout(patience):
                return await self.wait_down()
        except TimeoutError:
            self.abort(reason, f"{evidence}; the server did not answer the goodbye")
            return await self.wait_down()

    def abort(self, reason: DisconnectReason, evidence: str) -> None:
        """Drop everything without waiting for anyone."""
        self._session.call_cleared(reason, evidence, self._loop.time())
        self._drive()
        self._end(Down(reason, evidence))
        if self._transport is not None:
            self._transport.abort()
        else:
            self._finish()

    async def probe(self) -> bool:
        """Ask for life by LCP echo and control echo at once.

        False, with the tunnel dropped, when one of the two is not answered in about a second.
        """
        if not self.call:
            return False
        before, self._probing = self.current_counters().echoes_answered, True
        self.call.set_keepalive(PROBE)
        self._machine.probe(self._loop.time(), PROBE_PATIENCE)
        self._drive()
        deadline = self._loop.time() + PROBE_PATIENCE
        alive = False
        while not alive and not self._gone.done() and self._loop.time() < deadline:
            await asyncio.sleep(PROBE_LOOK)
            alive = self.current_counters().echoes_answered > before and not self._machine.awaits_echo
        self._probing = False
        if alive:
            self.call.set_keepalive(self._echoes())
        else:
            self.abort(DisconnectReason.NETWORK_ERROR, "an echo went unanswered after the network changed")
        return alive

    def inject(self, packet: bytes) -> None:
        """Send an inner IP packet of our own; nothing happens when the tunnel is gone."""
        self.call.inject(packet)

    def current_counters(self) -> Counters:
        """Return the counts of the call, the last ones when it is over."""
        return self.call.counters()

    @property
    def connected(self) -> bool:
        """Whether TCP stands: there is someone to say goodbye to."""
        return self._transport is not None

    # --- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is there: introduce ourselves."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=WRITE_LIMIT)
        own, server = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        self._own, self._server = own[0], server[0] if server else self._server
        self.watch.reached(Phase.TCP)
        path = tcp_path(transport.get_extra_info("socket"))
        ends = f"{own[0]}:{own[1]}", f"{self._server}:{self.settings.port}"
        self._tell(Connected(*ends, handshake_seconds=path.round_trip, retransmits=path.retransmits))
        self._machine.open(self._loop.time())
        self._drive()

    def data_received(self, data: bytes) -> None:
        """The server sent something."""
        self._answers = self._silent
        self._machine.receive(data, self._loop.time())
        self._drive()

    def pause_writing(self) -> None:
        """The server asks more than it reads answers: it will not read a goodbye either."""
        self.abort(DisconnectReason.PROTOCOL_FAILURE, "the server floods us with requests and reads no answers")

    def eof_received(self) -> None:
        """The server closed its half of TCP (FIN); the transport closes the other one."""
        self._end_of_file = True

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone, and with it the call."""
        detail = f"the TCP connection was lost: {exc}" if exc else "the server closed the TCP connection"
        now = self._loop.time()
        self._transport = None
        try:
            self._machine.connection_lost(now, detail, tcp_end(exc, end_of_file=self._end_of_file))
            self._session.call_cleared(DisconnectReason.CONTROL_LOST, detail, now)
            self._drive()
        finally:
            self._end(Down(DisconnectReason.CONTROL_LOST, detail))
            self._finish()

    # --- driving -------------------------------------------------------------------------------------------

    def take_upcall(self, upcall: Upcall) -> None:
        """Act on what the engine tells of our call."""
        now = self._loop.time()
        match upcall.kind:
            case UpcallKind.FRAME:
                self._session.receive(upcall.frame, now)
                if reply := read_echo_reply(upcall.frame):
                    self.echo_answered(*reply)
            case UpcallKind.MPPE_DESYNC:
                self._session.mppe_desync(now)
            case UpcallKind.ECHO_MISSED:
                self._tell(EchoLost(upcall.value))
            case UpcallKind.ECHO_RECOVERED:
                self._tell(Recovered("the server answers again"))
            case UpcallKind.DEAD:
                self._go_silent(upcall.value, now)
            case UpcallKind.SEND_FAILED if upcall.value != errno.EMSGSIZE:  # a size that was only tried out
                self._tell(SendFailed(upcall.value))
            case _:
                return
        self._drive()

    def _go_silent(self, missed: int, now: float) -> None:
        """GRE is dead. The goodbye on the control connection shows whether the server is, too."""
        if self._probing:
            self.abort(DisconnectReason.NETWORK_ERROR, f"{missed} LCP echoes failed after the network changed")
            return
        self._silent = True
        evidence = f"{missed} LCP Echo-Requests in a row were not answered: GRE with {self._server} stopped"
        self._session.abort(DisconnectReason.ECHO_TIMEOUT, evidence, now)
        self._loop.call_later(LINGER, self._stop_lingering)

    def _stop_lingering(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _drive(self) -> None:
        """Carry out what the machines want until they want nothing more."""
        busy = True
        while busy:
            busy = self._drive_session()
            busy = self._drive_control() or busy
        if not self._gone.done():
            deadlines = [d for d in (self._machine.deadline, self._session.deadline) if d is not None]
            self._alarm.arm(min(deadlines, default=None))

    def _drive_session(self) -> bool:
        commands = self._session.commands()
        for command in commands:
            if isinstance(command, (ClearCall, Finished)):
                self._flush_session()
            self._execute(command)
        return self._flush_session() or bool(commands)

    def _flush_session(self) -> bool:
        frames, events = self._session.outgoing(), self._session.events()
        self.call.send(frames)
        for event in events:
            self._note_link_event(event)
        return bool(frames or events)

    def _drive_control(self) -> bool:
        octets, commands = b"".join(self._machine.outgoing()), self._machine.commands()
        if octets and self._transport is not None:
            self._transport.write(octets)
        for command in commands:
            if isinstance(command, CloseTransport) and self._transport is not None:
                self._transport.close()
            elif isinstance(command, AnswerCall):
                self._machine.refuse_call(command.peer_call_id, 3, 0, self._loop.time())
        events = self._machine.events()
        for event in events:
            self._note_control_event(event)
        return bool(octets or commands or events)

    def _timer_due(self) -> None:
        now = self._loop.time()
        for machine in (self._machine, self._session):
            if machine.deadline is not None and machine.deadline <= now:
                machine.handle_timer(now)
        self._drive()

    # --- what happens --------------------------------------------------------------------------------------

    def _note_control_event(self, event: Event) -> None:
        now = self._loop.time()
        self._tell(event)
        match event:
            case ControlEstablished():
                said = " ".join(filter(None, (event.host_name, event.vendor)))
                self.watch.reached(Phase.CONTROL, said)
                call_id = self.call.reserve()
                self._machine.place_call(call_id, call_id, now)
            case CallEstablished():
                self._begin_call(event)
            case CallRefused():
                self._end(Down(DisconnectReason.NEGOTIATION_FAILED, f"the server refused the call: {event.detail}"))
                self._machine.close(DisconnectReason.NEGOTIATION_FAILED, now)
            case CallCleared() if event.by_peer and not self._machine.closed:
                reason = CLEARED.get(event.result_code, DisconnectReason.USER_REQUEST)
                self._session.call_cleared(reason, f"the server cleared the call: {event.detail}", now)
            case ControlClosed():
                self._session.call_cleared(event.reason, event.detail, now)
                self._end(Down(event.reason, event.detail))
            case _:
                pass

    def _begin_call(self, event: CallEstablished) -> None:
        self.watch.reached(Phase.CALL, f"call {event.local_call_id}/{event.peer_call_id}")
        path = CallPath(
            event.local_call_id, event.peer_call_id, self._own, self._server, peer_window=event.receive_window
        )
        try:
            self.call.begin(path, self._echoes(), self)
        except (ValueError, OSError) as error:
            self._end(Down(DisconnectReason.INTERNAL_ERROR, f"the packet engine refuses the call: {error}"))
            self._machine.close(DisconnectReason.INTERNAL_ERROR, self._loop.time())
            return
        self._session.open(self._loop.time())

    def _echoes(self) -> Keepalive:
        keepalive = self.settings.keepalive
        return Keepalive(keepalive.echo_interval, keepalive.echo_failures, keepalive.adaptive)

    def _note_link_event(self, event: Event) -> None:
        self._tell(event)
        match event:
            case LcpOpened():
                self.watch.reached(Phase.LCP, f"MRU {event.local_mru}/{event.peer_mru}")
            case AuthenticationSucceeded():
                self.watch.reached(Phase.AUTHENTICATION, event.method)
            case MppeOpened():
                self._encryption = f"MPPE {event.bits} bit {event.mode}"
                self.watch.reached(Phase.ENCRYPTION, self._encryption)
            case IpOpened():
                self._opened = event
                self._come_up()
            case _:
                pass

    def _execute(self, command: Any) -> None:
        if isinstance(command, OpenNetwork):
            self._open_network(command)
        elif isinstance(command, ClearCall):
            self._machine.clear_call(self.call.call_id, self._loop.time())
        elif isinstance(command, Finished):
            self._release(command)
        else:
            self.call.execute(command)

    def _open_network(self, command: OpenNetwork) -> None:
        objection = self._judge(command.local, command.peer)
        if objection:
            self._session.close(DisconnectReason.NO_ADDRESS, objection, self._loop.time())
        else:
            self.call.open(self._networks)
            self._come_up()

    def _come_up(self) -> None:
        """Say that traffic can pass, once the engine carries it and the addresses are known."""
        opened = self._opened
        if opened is None or not self.call.carries or self._up.done() or self._down is not None:
            return
        self.watch.reached(Phase.ADDRESS, opened.local_address)
        addresses = opened.local_address, opened.peer_address
        self._up.set_result(Up(*addresses, opened.dns, self.call.mtu, self._encryption, self.call.handle, self._own))

    def _release(self, command: Finished) -> None:
        """The session is over: give the call back and say goodbye on the control connection."""
        self._end(Down(command.reason, command.evidence))
        self.call.end()
        counters = self.call.counters()
        ended = SessionEnded(
            command.reason,
            command.evidence,
            self.settings.user,
            counters.bytes_in,
            counters.bytes_out,
            counters.packets_in,
            counters.packets_out,
            round(self._loop.time() - self._began, 3),
            control_end=self._machine.end,
        )
        self._tell(ended)
        self._machine.close(command.reason, self._loop.time())

    def failed(self, error: Exception) -> None:
        """A fault of ours: this try is over, whatever else is broken in it."""
        self._tell(InternalFault("tunnel", where_raised(error)))
        self._end(Down(DisconnectReason.INTERNAL_ERROR, where_raised(error)))
        self.call.end()
        self._stop_lingering()
        self._finish()

    def _end(self, down: Down) -> None:
        """Remember the first cause."""
        if self._down is None:
            self._down = down

    def _finish(self) -> None:
        """Everything is released: tell whoever waits."""
        self._alarm.cancel()
        self.call.give_back()
        if not self._gone.done():
            down = self._down or Down(DisconnectReason.INTERNAL_ERROR, "the tunnel ended without a cause")
            self._gone.set_result(replace(down, server_answers=self._answers))

    def _tell(self, event: Event) -> None:
        context = {"tunnel": self.settings.name, "session": self._session.session_id, "server_ip": self._server}
        self._report(event, context)
