"""A small server for tests of the dialer: the PAC's machines on a loopback port, and two engines joined by a wire."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from holdfast.control.codes import Role
from holdfast.control.commands import AnswerCall, CloseTransport
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine
from holdfast.dataplane.carrier import Carrier
from holdfast.dataplane.interface import (
    CallPath,
    Counters,
    Keepalive,
    LinkParameters,
    MppeDirection,
    PacketEngine,
    Upcall,
    UpcallKind,
)
from holdfast.errors import DisconnectReason
from holdfast.events import CallCleared, CallEstablished, ControlEstablished
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.commands import AddressAssignment, AssignAddress, VerifyCredentials
from holdfast.ppp.config import CcpConfig, LinkConfig, MppePolicy
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.link import Link
from holdfast.secret import Secret
from holdfast.session import ClearCall, Finished, Session, SessionConfig

PASSWORD = Secret.from_text("correct horse")


class WireEngine:
    """An engine whose frames arrive at the engine it is joined to. It keeps what it was told."""

    tun_name = "wire0"

    def __init__(self) -> None:
        self.peer: WireEngine | None = None
        self.calls: dict[int, CallPath] = {}
        self.opened: dict[int, tuple[str, ...]] = {}
        self.encrypted: dict[int, MppeDirection | None] = {}
        self.keepalives: list[Keepalive] = []
        self.cut = False
        self.carries = 9000
        self.links: list[LinkParameters] = []
        self._event = os.eventfd(0, os.EFD_NONBLOCK)
        self._waiting: list[Upcall] = []
        self._next = 0

    def fileno(self) -> int:
        return self._event

    def poll(self, limit: int = 256) -> list[Upcall]:
        if self._waiting:
            os.eventfd_read(self._event)
        taken, self._waiting = self._waiting[:limit], self._waiting[limit:]
        if self._waiting:
            os.eventfd_write(self._event, 1)
        return taken

    def tell(self, upcall: Upcall) -> None:
        if not self._waiting:
            os.eventfd_write(self._event, 1)
        self._waiting.append(upcall)

    def add_call(self, path: CallPath) -> int:
        self._next += 1
        self.calls[self._next] = path
        return self._next

    def let_go(self, handles) -> None:
        pass

    def remove_call(self, handle: int) -> Counters:
        del self.calls[handle]
        return Counters(packets_in=3, bytes_in=300)

    def send(self, handle: int, frame: bytes, *, whole: bool = False) -> None:
        path, peer = self.calls[handle], self.peer
        if peer is None or self.cut or peer.cut or (whole and len(frame) - 2 > self.carries):
            return
        for theirs, other in peer.calls.items():
            if other.local_call_id == path.peer_call_id:
                peer.tell(Upcall(UpcallKind.FRAME, theirs, frame))

    def inject(self, handle: int, packet: bytes) -> None: ...

    def configure(self, handle: int, link: LinkParameters) -> None:
        self.links.append(link)

    def set_mppe(self, handle: int, receive: MppeDirection | None, send: MppeDirection | None) -> None:
        self.encrypted[handle] = send

    def require_mppe(self, handle: int, required: bool) -> None: ...

    def reset_mppe_send(self, handle: int) -> None: ...

    def open_network(self, handle: int, peer_addresses: tuple[str, ...]) -> None:
        self.opened[handle] = peer_addresses

    def close_network(self, handle: int) -> None:
        self.opened.pop(handle, None)

    def set_keepalive(self, handle: int, keepalive: Keepalive) -> None:
        self.keepalives.append(keepalive)

    def counters(self, handle: int) -> Counters:
        return Counters(packets_in=1)

    def totals(self) -> Counters:
        return Counters()

    def close(self) -> None:
        os.close(self._event)


@dataclass
class Behaviour:
    """What the server does. `garbage` is sent instead of everything else."""

    methods: tuple[Method, ...] = (Method.MS_CHAP_V2,)
    mppe: MppePolicy = MppePolicy.REQUIRE
    address: str = "10.77.0.10"
    peer: str = "10.77.0.1"
    dns: tuple[str, ...] = ("10.77.0.53",)
    password: Secret = PASSWORD
    garbage: bytes = b""
    flood: bytes = b""
    refuse_call: tuple[int, int] | None = None
    mute: bool = False
    events: list[Any] = field(default_factory=list)


class ServerConnection(asyncio.Protocol):
    """One control connection with at most one call."""

    def __init__(self, engine: PacketEngine, behaviour: Behaviour, everyone: "list[ServerConnection]") -> None:
        self._loop = asyncio.get_running_loop()
        self._engine, self._behaviour = engine, behaviour
        self.machine = ConnectionMachine(Role.PAC, ControlConfig())
        self.session: Session | None = None
        self.transport: asyncio.Transport | None = None
        self._carrier: Carrier | None = None
        self._call_id = 0
        everyone.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._behaviour.garbage:
            transport.write(self._behaviour.garbage)
        self.machine.accepted(self._loop.time())

    def _flood(self) -> None:
        """Send without end, and read nothing."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()
            if not self.transport.get_write_buffer_size():
                self.transport.write(self._behaviour.flood * 1000)
            self._loop.call_later(0.001, self._flood)

    def data_received(self, data: bytes) -> None:
        if self._behaviour.garbage or self._behaviour.mute:
            return
        self.machine.receive(data, self._loop.time())
        self.drive()

    def connection_lost(self, exc: Exception | None) -> None:
        self.machine.connection_lost(self._loop.time())
        if self.session is not None:
            self.session.call_cleared(DisconnectReason.CONTROL_LOST, "TCP is gone", self._loop.time())
        self.drive()

    def take(self, upcall: Upcall) -> None:
        if self.session is not None and upcall.kind is UpcallKind.FRAME:
            self.session.receive(upcall.frame, self._loop.time())
            self.drive()

    def owns(self, handle: int) -> bool:
        return self._carrier is not None and self._carrier.handle == handle

    def drive(self) -> None:
        for _ in range(10):
            self._drive_session()
            octets, commands = b"".join(self.machine.outgoing()), self.machine.commands()
            if octets and self.transport is not None:
                self.transport.write(octets)
            for command in commands:
                self._control_command(command)
            for event in self.machine.events():
                self._behaviour.events.append(event)
                if isinstance(event, ControlEstablished) and self._behaviour.flood:
                    self._flood()
                elif isinstance(event, CallEstablished) and self.session is not None:
                    self.session.open(self._loop.time())
                elif isinstance(event, CallCleared) and self.session is not None:
                    self.session.call_cleared(DisconnectReason.USER_REQUEST, event.detail, self._loop.time())

    def _control_command(self, command: object) -> None:
        if isinstance(command, CloseTransport) and self.transport is not None:
            self.transport.close()
        elif isinstance(command, AnswerCall):
            if self._behaviour.refuse_call is not None:
                self.machine.refuse_call(command.peer_call_id, *self._behaviour.refuse_call, self._loop.time())
                return
            self._call_id = 1000 + secrets.randbelow(1000)
            assert self.transport is not None
            own, peer = (self.transport.get_extra_info(end)[0] for end in ("sockname", "peername"))
            handle = self._engine.add_call(CallPath(self._call_id, command.peer_call_id, own, peer))
            self._carrier = Carrier(self._engine, handle, Keepalive(0, 0))
            config = LinkConfig(ccp=CcpConfig(self._behaviour.mppe), demand=self._behaviour.methods)
            self.session = Session("server", Link(config, secrets.token_bytes), SessionConfig())
            self.machine.accept_call(command.peer_call_id, self._call_id, self._loop.time())

    def _drive_session(self) -> None:
        session, carrier = self.session, self._carrier
        if session is None or carrier is None:
            return
        while commands := session.commands():
            for command in commands:
                if isinstance(command, (ClearCall, Finished)):
                    carrier.send(session.outgoing())
                self._session_command(session, carrier, command)
                if self._carrier is None:
                    self._behaviour.events += session.events()
                    return
        carrier.send(session.outgoing())
        self._behaviour.events += session.events()

    def _session_command(self, session: Session, carrier: Carrier, command: object) -> None:
        behaviour, now = self._behaviour, self._loop.time()
        if isinstance(command, VerifyCredentials):
            verdict = verify(command.exchange, StoredSecret(behaviour.password))
            session.credentials_verified(verdict, now)
        elif isinstance(command, AssignAddress):
            answer = AddressAssignment(behaviour.peer, behaviour.address, behaviour.dns)
            session.address_assigned(answer, now)
        elif isinstance(command, ClearCall):
            self.machine.clear_call(self._call_id, now)
        elif isinstance(command, Finished):
            self._engine.remove_call(carrier.handle)
            self._carrier = None
        else:
            carrier.execute(command)


@dataclass
class World:
    """A server that listens, and the two engines."""

    port: int
    mine: WireEngine
    theirs: WireEngine
    behaviour: Behaviour
    connections: list[ServerConnection]
    listener: asyncio.Server


@asynccontextmanager
async def world(behaviour: Behaviour) -> AsyncIterator[World]:
    """Start a server; everything ends with the block."""
    loop = asyncio.get_running_loop()
    mine, theirs = WireEngine(), WireEngine()
    mine.peer, theirs.peer = theirs, mine
    connections: list[ServerConnection] = []

    def deliver() -> None:
        for upcall in theirs.poll():
            for connection in connections:
                if connection.owns(upcall.handle):
                    connection.take(upcall)

    loop.add_reader(theirs.fileno(), deliver)
    listener = await loop.create_server(lambda: ServerConnection(theirs, behaviour, connections), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield World(port, mine, theirs, behaviour, connections, listener)
    finally:
        listener.close()
        for connection in connections:
            if connection.transport is not None:
                connection.transport.abort()
        loop.remove_reader(theirs.fileno())
        await asyncio.sleep(0)
        mine.close()
        theirs.close()
