"""The gateway: clients, their control connections and their sessions. Sockets and clock are used here only."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.alarm import Alarm
from holdfast.control.codes import GeneralError, OutgoingCallResult, Role
from holdfast.control.commands import AnswerCall
from holdfast.control.connection import ConnectionMachine
from holdfast.dataplane.carrier import Carrier
from holdfast.dataplane.interface import CallPath, Counters, PacketEngine
from holdfast.errors import DisconnectReason, HoldfastError, where_raised
from holdfast.events import (
    AuthenticationSucceeded,
    Direction,
    Event,
    GatewayDraining,
    InternalFault,
    SessionEnded,
    SessionStarted,
)
from holdfast.gateway.addressing import AddressDesk
from holdfast.gateway.call_ids import CallIds
from holdfast.gateway.client_routes import ClientRoutes, no_routes
from holdfast.gateway.connection import ControlConnection
from holdfast.gateway.door import Door
from holdfast.gateway.farewell import say_goodbye
from holdfast.gateway.fragmentation import Fragmentation
from holdfast.gateway.interfaces import Interfaces
from holdfast.gateway.login import LoginDesk
from holdfast.gateway.notices import Notices
from holdfast.gateway.paths import PathMeter
from holdfast.gateway.patrol import Patrol
from holdfast.gateway.renewal import RenewalDesk
from holdfast.gateway.settings import GatewaySettings
from holdfast.gateway.subscriber import Subscriber
from holdfast.gateway.upcalls import UpcallDesk
from holdfast.observe.event_log import EventLog
from holdfast.observe.recorder import Ended, Recorder, no_recorder
from holdfast.observe.recorder_packets import Ends
from holdfast.policy.addresses import AddressPool
from holdfast.policy.admission import Refused
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.session_records import SessionNotes
from holdfast.ppp.commands import AssignAddress, VerifyCredentials
from holdfast.ppp.link import Link
from holdfast.session import ClearCall, Finished, Session

POLL_BATCH = 512


@dataclass(frozen=True, slots=True)
class Means:
    """What a gateway works with."""

    engine: PacketEngine
    authenticator: Authenticator
    pool: AddressPool
    records: SessionNotes
    log: EventLog
    recorder: Recorder = field(default_factory=no_recorder)
    routes: ClientRoutes = field(default_factory=no_routes)


class Gateway:
    """All clients of one gateway process. Runs on the event loop; the packets run in the engine's threads."""

    def __init__(self, settings: GatewaySettings, means: Means) -> None:
        self.loop = asyncio.get_running_loop()
        self.settings = settings
        self.connections: set[ControlConnection] = set()
        self.subscribers: dict[str, Subscriber] = {}
        self.draining = False
        self.interfaces = Interfaces(self.now)
        self.started = datetime.now(UTC)
        self.recorder = means.recorder
        self._engine, self._log = means.engine, means.log
        self.addressing = AddressDesk(self, means.pool, means.records, means.routes)
        self._by_handle: dict[int, Subscriber] = {}
        self._call_ids = CallIds(secrets.randbelow(CallIds.LAST))
        self._desk = UpcallDesk(self)
        self.notices = Notices(self.report)
        self.door = Door(self, settings.admission, self.notices)
        self.logins = LoginDesk(self, means.authenticator, settings.lockout, settings.guessing)
        self.fragmentation = Fragmentation(self)
        self.paths = PathMeter()
        self.patrol = Patrol(self, means.engine, local_now)
        self.renewals = RenewalDesk(self)
        self.accounting_state: Callable[[], dict[str, Any]] = dict
        """How the accounting of sessions is; nothing while nothing is accounted."""
        self.drained = asyncio.Event()
        """Set when a gateway that drains has no session left, or no more patience."""
        self.broken = asyncio.Event()
        """Set when the packet engine carries nothing any more; `fault` says why."""
        self.fault = ""
        self._drain_deadline: asyncio.TimerHandle | None = None
        self._servers: list[asyncio.Server] = []
        self._quiet = asyncio.Event()

    # --- life ----------------------------------------------------------------------------------------------

    async def start(self, listeners: list[asyncio.Server]) -> None:
        """Begin to serve on sockets that are bound already."""
        self._servers = listeners
        await asyncio.to_thread(self.interfaces.refresh)
        self.loop.add_reader(self._engine.fileno(), self._poll_engine)

    async def stop(self, patience: float) -> None:
        """Say goodbye to every client; after `patience` seconds whoever has not answered is dropped."""
        reason = DisconnectReason.INTERNAL_ERROR if self.fault else DisconnectReason.GATEWAY_SHUTDOWN
        why = f"the packet engine broke: {self.fault}" if self.fault else "the gateway was told to stop"
        self.draining = True
        for server in self._servers:
            server.close()
        self.logins.stop()
        self.renewals.stop()
        self.addressing.stop()
        self.door.stop()
        await say_goodbye(self, reason, why, patience)
        self.patrol.stop()
        self.loop.remove_reader(self._engine.fileno())

    def drain(self, deadline: float) -> None:
        """Take no new calls, and be `drained` when the last session has left, or after `deadline` seconds if any."""
        self.draining = True
        self.report(GatewayDraining(len(self.subscribers), deadline), {})
        self._forget_drain_deadline()
        if deadline:
            self._drain_deadline = self.loop.call_later(deadline, self.drained.set)
        self._note_empty()

    def resume(self) -> None:
        """Take calls again."""
        self.draining = False
        self._forget_drain_deadline()

    def _forget_drain_deadline(self) -> None:
        if self._drain_deadline is not None:
            self._drain_deadline.cancel()
            self._drain_deadline = None

    def _note_empty(self) -> None:
        if self.draining and not self.subscribers:
            self.drained.set()

    def apply(self, settings: GatewaySettings) -> None:
        """Go on with other settings: limits and locks at once, everything else for new connections and sessions."""
        self.settings = settings
        self.door.admission.rules = settings.admission
        self.logins.lockout.rules = settings.lockout
        self.logins.guessing.rules = settings.guessing

    async def wait_until(self, condition: Callable[[], bool], deadline: float) -> None:
        """Wait until something is so after a session or a connection has ended, or until `deadline`."""
        while not condition() and self.now() < deadline:
            self._quiet.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), deadline - self.now())

    def now(self) -> float:
        """Return the clock that every machine is driven by."""
        return self.loop.time()

    def wall_clock(self, moment: float) -> str:
        """Return the time of day, here and in words, at which `now` was `moment`."""
        return (local_now() - timedelta(seconds=self.now() - moment)).strftime("%H:%M:%S")

    def report(self, event: Event, context: Mapping[str, Any]) -> None:
        """Log a fact."""
        self._log.emit(event, context)

    def count_by_state(self) -> dict[str, int]:
        """Return how many sessions are in each state."""
        return dict(Counter(str(subscriber.session.state) for subscriber in self.subscribers.values()))

    def address_use(self) -> dict[str, int]:
        """Return how many addresses there are, and how many are in use."""
        return self.addressing.use()

    def log_state(self) -> dict[str, Any]:
        """Return whether the event log keeps up."""
        return {"dropped": self._log.dropped, "failed": self._log.failed, "backlog": self._log.backlog}

    # --- control connections -------------------------------------------------------------------------------

    def new_control_machine(self) -> ConnectionMachine:
        """Return the machine for one more TCP connection."""
        return ConnectionMachine(Role.PAC, self.settings.control)

    def admit(self, connection: ControlConnection) -> Refused | None:
        """Take a new connection in, or return why not."""
        refused = self.door.connection(connection)
        if refused is None:
            connection.connection_id = new_id()
            self.connections.add(connection)
        return refused

    def connection_closed(self, connection: ControlConnection) -> None:
        """A TCP connection is gone."""
        self.door.connection_closed(connection)
        self.connections.discard(connection)
        self._quiet.set()

    # --- calls ---------------------------------------------------------------------------------------------

    def answer_call(self, connection: ControlConnection, request: AnswerCall) -> None:
        """A client asks for a call: make a session for it, or say why not."""
        unwelcome = self.door.call(connection)
        if unwelcome is not None:
            connection.refuse_call(request.peer_call_id, *unwelcome)
        elif not self._make_session(connection, request):
            self.door.call_failed(connection)
            connection.refuse_call(request.peer_call_id, OutgoingCallResult.GENERAL_ERROR, GeneralError.NO_RESOURCE)

    def _make_session(self, connection: ControlConnection, request: AnswerCall) -> bool:
        local_call_id = self._call_ids.allocate()
        if local_call_id is None or request.incoming:
            self._call_ids.release(local_call_id or 0)
            return False
        path = CallPath(
            local_call_id,
            request.peer_call_id,
            connection.server,
            connection.client,
            peer_window=request.receive_window,
        )
        try:
            handle = self._engine.add_call(path)
        except (ValueError, OSError) as error:
            self._call_ids.release(local_call_id)
            self.report(InternalFault("engine", str(error)), connection.context())
            return False
        self._subscribe(connection, request.peer_call_id, local_call_id, handle)
        connection.accept_call(request.peer_call_id, local_call_id)
        return True

    def _subscribe(self, connection: ControlConnection, peer_call_id: int, local_call_id: int, handle: int) -> None:
        link = Link(self.settings.link, secrets.token_bytes)
        session = Session(new_id(), link, self.settings.session)
        subscriber = Subscriber(
            session,
            connection,
            Carrier(self._engine, handle, self.settings.keepalive),
            Alarm(self.loop, lambda: self._timer_due(subscriber)),
            local_call_id,
            peer_call_id,
            started=self.now(),
            since=datetime.now(UTC),
            tape=self.recorder.session_tape(),
            effective=self.settings.policies.base,
        )
        connection.subscribers[local_call_id] = subscriber
        self.subscribers[session.session_id] = subscriber
        self._by_handle[handle] = subscriber
        self.report(SessionStarted(), subscriber.context())

    def call_established(self, subscriber: Subscriber) -> None:
        """The call is agreed: PPP begins."""
        subscriber.session.open(self.now())
        self.drive(subscriber)

    def call_gone(self, subscriber: Subscriber, reason: DisconnectReason, evidence: str) -> None:
        """The call ended on the control connection, or with it."""
        subscriber.session.call_cleared(reason, evidence, self.now())
        self.drive(subscriber)

    # --- sessions ------------------------------------------------------------------------------------------

    def by_handle(self, handle: int) -> Subscriber | None:
        """Return the subscriber whose call the engine names so."""
        return self._by_handle.get(handle)

    def matching(self, text: str) -> list[Subscriber]:
        """Return the session whose id is, begins or ends with `text`, if there is one. HoldfastError for several."""
        found = [one for key, one in self.subscribers.items() if key.startswith(text) or key.endswith(text)]
        if len(found) > 1:
            raise HoldfastError(
                f"{len(found)} sessions begin or end with {text}", fix="Give more of the id: holdfast sessions"
            )
        return found

    def counters(self, subscriber: Subscriber) -> Counters:
        """Return the engine's counts of a session."""
        return self._engine.counters(subscriber.carrier.handle)

    def close_session(self, subscriber: Subscriber, reason: DisconnectReason, evidence: str) -> None:
        """End a session politely."""
        subscriber.session.close(reason, evidence, self.now())
        self.drive(subscriber)

    def abort_session(self, subscriber: Subscriber, reason: DisconnectReason, evidence: str) -> None:
        """End a session whose client does not answer, at once."""
        with self.guarded(subscriber):
            subscriber.session.abort(reason, evidence, self.now())
            self._drive(subscriber)

    def let_go_of_calls(self) -> None:
        """Let the engine forget all calls that are left, which are about to end."""
        self._engine.let_go([one.carrier.handle for one in self.subscribers.values()])

    def drive(self, subscriber: Subscriber) -> None:
        """Carry out what a session wants until it wants nothing more."""
        with self.guarded(subscriber):
            self._drive(subscriber)

    def _drive(self, subscriber: Subscriber) -> None:
        session = subscriber.session
        while commands := session.commands():
            for command in commands:
                if isinstance(command, (ClearCall, Finished)):
                    self._flush(subscriber)
                self._execute(subscriber, command)
            if subscriber.session.session_id not in self.subscribers:
                return
        self._flush(subscriber)
        if subscriber.up and subscriber.up_at is None:
            subscriber.up_at = self.now()
            self.door.admission.session_up()
            self.patrol.begin(subscriber)
        subscriber.alarm.arm(session.deadline)

    def _flush(self, subscriber: Subscriber) -> None:
        frames = subscriber.session.outgoing()
        subscriber.tape.frames(Direction.SENT, frames)
        subscriber.carrier.send(frames)
        for event in subscriber.session.events():
            if isinstance(event, AuthenticationSucceeded) and event.by_peer:
                subscriber.user = event.user
            self.report(event, subscriber.context())

    def _execute(self, subscriber: Subscriber, command: object) -> None:
        if subscriber.carrier.execute(command):
            return
        if isinstance(command, VerifyCredentials):
            self.logins.take(subscriber, command.exchange)
        elif isinstance(command, AssignAddress):
            self.addressing.take(subscriber, command)
        elif isinstance(command, ClearCall):
            reason = subscriber.session.ending[0] if subscriber.session.ending else None
            subscriber.connection.clear_call(subscriber.local_call_id, reason)
        elif isinstance(command, Finished):
            self._release(subscriber, command)

    def _release(self, subscriber: Subscriber, command: Finished) -> None:
        """Give back everything the session held, and tell the log that it ended."""
        subscriber.alarm.cancel()
        self.subscribers.pop(subscriber.session.session_id, None)
        subscriber.connection.subscribers.pop(subscriber.local_call_id, None)
        self._by_handle.pop(subscriber.carrier.handle, None)
        counters = self._engine.remove_call(subscriber.carrier.handle)
        self._call_ids.release(subscriber.local_call_id)
        self.door.session_ended(subscriber, command.reason)
        self.logins.forget(subscriber)
        self.addressing.release(subscriber)
        ended = SessionEnded(
            command.reason,
            command.evidence,
            subscriber.user,
            bytes_in=counters.bytes_in,
            bytes_out=counters.bytes_out,
            packets_in=counters.packets_in,
            packets_out=counters.packets_out,
            duration=round(self.now() - subscriber.started, 3),
            capture=self._keep_tapes(subscriber, command),
            ttl=counters.peer_ttl,
            control_end=subscriber.connection.end,
        )
        self.report(ended, subscriber.context())
        self._quiet.set()
        self._note_empty()

    def _keep_tapes(self, subscriber: Subscriber, command: Finished) -> str:
        """Let the recorder write down a session that failed; return where."""
        connection = subscriber.connection
        ends = Ends(connection.client, connection.server, subscriber.local_call_id, subscriber.peer_call_id)
        ended = Ended(subscriber.session.session_id, subscriber.user, ends, command.reason, command.evidence)
        return self.recorder.keep(ended, connection.tape, subscriber.tape)

    def _timer_due(self, subscriber: Subscriber) -> None:
        with self.guarded(subscriber):
            subscriber.session.handle_timer(self.now())
            self._drive(subscriber)

    # --- faults of ours ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def guarded(self, subscriber: Subscriber) -> Iterator[None]:
        """Let a fault of ours inside end this session, and neither leave it half alive nor reach anybody else."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the session must not stay as it is
            self._fault(subscriber, error)

    def _fault(self, subscriber: Subscriber, error: Exception) -> None:
        detail = where_raised(error)
        self.report(InternalFault("session", detail), subscriber.context())
        ending = subscriber.session.ending or (DisconnectReason.INTERNAL_ERROR, detail)
        with contextlib.suppress(Exception):  # what is broken may be broken at its end, too
            subscriber.session.abort(DisconnectReason.INTERNAL_ERROR, detail, self.now())
            self._drive(subscriber)
        if subscriber.session.session_id in self.subscribers:
            self._release(subscriber, Finished(*ending))
            subscriber.connection.clear_call(subscriber.local_call_id)

    # --- the engine ----------------------------------------------------------------------------------------

    def engine_broke(self, why: str) -> None:
        """No packet passes any more, and none will: whoever runs the gateway must end it."""
        self.fault = self.fault or why
        self.report(InternalFault("engine", f"no packet passes any more: {why}"), {})
        self.broken.set()

    def _poll_engine(self) -> None:
        for upcall in self._engine.poll(POLL_BATCH):
            self._desk.take(upcall)


def local_now() -> datetime:
    """Return the time of day here."""
    return datetime.now().astimezone()


def new_id() -> str:
    """Return an identifier that is unique for ever: the time in milliseconds, then 40 random bits, in hex."""
    stamp = int(datetime.now(UTC).timestamp() * 1000)
    return f"{stamp:011x}{secrets.token_hex(5)}"
