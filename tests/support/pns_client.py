"""A PPTP client in memory: control connection over real TCP, PPP frames through a `FakeEngine`."""

import asyncio
import secrets

from holdfast.control.codes import Role
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine
from holdfast.dataplane.carrier import Carrier
from holdfast.dataplane.interface import CallPath, Keepalive, UpcallKind
from holdfast.errors import DisconnectReason
from holdfast.events import CallCleared, CallEstablished, CallRefused, ControlClosed, Event
from holdfast.ppp.authentication_types import Method, PeerCredentials
from holdfast.ppp.config import CcpConfig, IpcpConfig, LinkConfig
from holdfast.ppp.link import Link
from holdfast.secret import Secret
from holdfast.session import ClearCall, Finished, Session, SessionConfig, SessionState
from support.fake_engine import FakeEngine


class PnsClient(asyncio.Protocol):
    """Connects, places one call and negotiates. `session.state` and `ended` tell how far it came."""

    def __init__(
        self, engine: FakeEngine, user: str, password: str, methods=(Method.MS_CHAP_V2,), ccp=None, ipcp=None
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.engine = engine
        self.machine = ConnectionMachine(Role.PNS, ControlConfig(host_name="client"))
        credentials = PeerCredentials(user, Secret.from_text(password))
        config = LinkConfig(
            accept=methods,
            credentials=credentials,
            ipcp=ipcp or IpcpConfig(assigns=False),
            ccp=ccp or CcpConfig(),
        )
        self.session = Session("client", Link(config, secrets.token_bytes), SessionConfig(first_frame_wait=0))
        self.events: list[Event] = []
        self.ended: Finished | None = None
        self.carrier: Carrier | None = None
        self.transport: asyncio.Transport | None = None
        self.call_id = secrets.randbelow(65535) + 1
        self._changed = asyncio.Event()

    @classmethod
    async def dial(cls, engine: FakeEngine, port: int, user="alice", password="secret", **options) -> "PnsClient":
        """Connect to a gateway on loopback and begin."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(engine, user, password, **options), "127.0.0.1", port)
        return client

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.machine.open(self.loop.time())
        self.drive()

    def data_received(self, data: bytes) -> None:
        self.machine.receive(data, self.loop.time())
        self.drive()

    def connection_lost(self, exc) -> None:
        self.machine.connection_lost(self.loop.time())
        self.drive()

    def drive(self) -> None:
        """Let octets, frames and commands flow until nothing moves."""
        self.machine.commands()
        octets = b"".join(self.machine.outgoing())
        if octets and self.transport is not None:
            self.transport.write(octets)
        for event in self.machine.events():
            self.events.append(event)
            self._react(event)
        self.drive_session()

    def _react(self, event: Event) -> None:
        now = self.loop.time()
        if event.name == "CONTROL_UP":
            self.machine.place_call(self.call_id, 1, now)
            self.loop.call_soon(self.drive)
        elif isinstance(event, CallEstablished):
            path = CallPath(event.local_call_id, event.peer_call_id, "127.0.0.1", "127.0.0.1")
            self.carrier = Carrier(self.engine, self.engine.add_call(path), Keepalive(0, 3))
            self.session.open(now)
        elif isinstance(event, CallCleared | CallRefused | ControlClosed) and self.ended is None:
            self.session.call_cleared(event.reason if isinstance(event, ControlClosed) else "call", event.detail, now)

    def poll(self) -> None:
        """Take frames from the engine."""
        for upcall in self.engine.poll():
            if upcall.kind is UpcallKind.FRAME and self.carrier and upcall.handle == self.carrier.handle:
                self.session.receive(upcall.frame, self.loop.time())
        self.drive_session()

    def drive_session(self) -> None:
        """Carry out what the session wants."""
        while commands := self.session.commands():
            for command in commands:
                if self.carrier is None or self.carrier.execute(command):
                    continue
                if isinstance(command, ClearCall):
                    self.carrier.send(self.session.outgoing())
                    self.machine.clear_call(self.call_id, self.loop.time())
                    self.loop.call_soon(self.drive)
                elif isinstance(command, Finished):
                    self.ended = command
        self.events += self.session.events()
        if self.carrier is not None and self.ended is None:
            self.carrier.send(self.session.outgoing())
        self._changed.set()

    async def wait(self, condition, seconds: float = 60.0) -> None:
        """Wait until `condition()`, polling the engine meanwhile."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.poll()
                deadline = self.session.deadline
                if deadline is not None and deadline <= self.loop.time():
                    self.session.handle_timer(self.loop.time())
                    self.drive_session()
                await asyncio.sleep(0.005)

    async def up(self) -> None:
        """Wait until user traffic may pass."""
        await self.wait(lambda: self.session.state is SessionState.UP)


class Crowd:
    """Several clients on one engine, looked after by a task: frames reach whom they are for, timers fire."""

    def __init__(self, engine: FakeEngine, port: int) -> None:
        self.engine, self.port = engine, port
        self.clients: list[PnsClient] = []
        self._task = asyncio.get_running_loop().create_task(self._pump())

    async def dial(self, user="alice", password="secret", **options) -> PnsClient:
        """Let one more client connect, and return at once."""
        client = await PnsClient.dial(self.engine, self.port, user, password, **options)
        self.clients.append(client)
        return client

    async def up(self, user="alice", password="secret") -> PnsClient:
        """Let one more client connect, and wait until it is up."""
        client = await self.dial(user, password)
        await self.until(lambda: client.session.state is SessionState.UP or client.ended)
        assert client.ended is None, client.ended
        return client

    async def refused(self, user="alice", password="secret") -> PnsClient:
        """Let one more client connect, and wait until it has failed."""
        client = await self.dial(user, password)
        await self.until(lambda: client.ended or client.transport.is_closing() or _was_refused(client))
        return client

    async def hang_up(self, client: PnsClient) -> None:
        """Let a client leave politely, and wait until it has."""
        client.session.close(DisconnectReason.USER_REQUEST, "enough", client.loop.time())
        client.drive_session()
        await self.until(lambda: client.ended is not None)

    async def until(self, condition, seconds: float = 60.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Leave without a word."""
        self._task.cancel()
        for client in self.clients:
            if client.transport is not None:
                client.transport.abort()
        await asyncio.sleep(0)

    async def _pump(self) -> None:
        while True:
            for upcall in self.engine.poll():
                for client in self.clients:
                    if client.carrier and client.carrier.handle == upcall.handle:
                        client.session.receive(upcall.frame, client.loop.time())
            for client in self.clients:
                deadline = client.session.deadline
                if deadline is not None and deadline <= client.loop.time():
                    client.session.handle_timer(client.loop.time())
                client.drive_session()
            await asyncio.sleep(0.003)


def _was_refused(client: PnsClient) -> bool:
    return any(isinstance(event, CallRefused) for event in client.events)
