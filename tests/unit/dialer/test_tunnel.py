"""One try at one tunnel, against a small server on loopback and engines joined by a wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from holdfast.control.codes import DisconnectResult
from holdfast.control.messages import EchoRequest
from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.outcome import TunnelDownError, Up
from holdfast.dialer.phases import Phase
from holdfast.dialer.settings import LinkSettings, TunnelSettings
from holdfast.dialer.tunnel import Tunnel
from holdfast.errors import DisconnectReason
from holdfast.events import Event, ImpostorSuspected, SessionEnded
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppePolicy
from holdfast.ppp.credentials import verify
from holdfast.secret import Secret
from holdfast.session import Session
from unit.dialer.server import PASSWORD, Behaviour, World, world

pytestmark = pytest.mark.asyncio


@dataclass
class Dialled:
    """A tunnel in a world, and what it told."""

    tunnel: Tunnel
    world: World
    port: EnginePort
    told: list[Event] = field(default_factory=list)

    async def connect(self) -> Up:
        return await self.tunnel.connect("127.0.0.1")

    async def fail(self) -> Any:
        with pytest.raises(TunnelDownError) as caught:
            await self.connect()
        return caught.value.down


@asynccontextmanager
async def dialled(
    behaviour: Behaviour | None = None,
    password: Secret = PASSWORD,
    judge: Callable[[str, str], str] | None = None,
    **link: Any,
) -> AsyncIterator[Dialled]:
    async with world(behaviour or Behaviour()) as made:
        settings = TunnelSettings("127.0.0.1", "alice", port=made.port, connect_timeout=2.0, setup_timeout=5.0)
        settings = replace(settings, link=LinkSettings(**link))
        port = EnginePort(made.mine)
        told: list[Event] = []
        more: dict[str, Any] = {"judge": judge} if judge else {}
        tunnel = Tunnel(settings, password, port, report=lambda event, _context: told.append(event), **more)
        try:
            yield Dialled(tunnel, made, port, told)
        finally:
            port.close()


async def test_it_comes_up_and_leaves_politely() -> None:
    async with dialled() as made:
        up = await made.connect()
        assert (up.local, up.peer, up.dns) == ("10.77.0.10", "10.77.0.1", ("10.77.0.53",))
        assert up.encryption == "MPPE 128 bit stateless"
        assert up.mtu == 1396
        assert [step.phase for step in made.tunnel.watch.steps] == [
            Phase.TCP,
            Phase.CONTROL,
            Phase.CALL,
            Phase.LCP,
            Phase.AUTHENTICATION,
            Phase.ENCRYPTION,
            Phase.ADDRESS,
        ]
        assert made.world.mine.opened == {up.handle: ("0.0.0.0/0",)}
        assert made.world.mine.encrypted[up.handle] is not None
        down = await made.tunnel.close(DisconnectReason.USER_REQUEST, "asked to")
        assert (down.reason, down.evidence) == (DisconnectReason.USER_REQUEST, "asked to")
        assert made.world.mine.calls == made.world.theirs.calls == {}
        (ended,) = [event for event in made.told if isinstance(event, SessionEnded)]
        assert (ended.reason, ended.user, ended.bytes_in) == (DisconnectReason.USER_REQUEST, "alice", 300)
        names = {type(event).__name__ for event in made.world.behaviour.events}
        assert "LinkTerminated" in names, "the server was told by LCP"
        assert "ControlClosed" in names


@pytest.mark.parametrize("method", [Method.PAP, Method.CHAP_MD5, Method.MS_CHAP])
async def test_other_methods_only_where_allowed(method: Method) -> None:
    open_link = {"mppe": MppePolicy.OFF}
    behaviour = Behaviour(methods=(method,), mppe=MppePolicy.OFF)
    async with dialled(behaviour, **open_link) as made:
        down = await made.fail()
        assert down.reason in {DisconnectReason.AUTH_REFUSED, DisconnectReason.NEGOTIATION_FAILED}
    async with dialled(behaviour, authentication=(method,), **open_link) as made:
        up = await made.connect()
        assert up.encryption == ""


async def test_a_wrong_password_is_told_as_such() -> None:
    async with dialled(password=Secret.from_text("hunter2hunter2")) as made:
        down = await made.fail()
        assert down.reason is DisconnectReason.AUTH_FAILED
        assert "hunter2" not in repr(made.told)


@pytest.mark.parametrize("method", [Method.PAP, Method.EAP])
async def test_a_server_that_wants_a_method_that_is_not_allowed_is_left(method: Method) -> None:
    async with dialled(Behaviour(methods=(method,), mppe=MppePolicy.OFF)) as made:
        down = await made.fail()
        assert down.reason is DisconnectReason.AUTH_REFUSED
        assert f"it asks for {method}, and we allow ms-chap-v2" in down.evidence


async def test_a_server_without_encryption_is_left() -> None:
    async with dialled(Behaviour(mppe=MppePolicy.OFF)) as made:
        assert (await made.fail()).reason is DisconnectReason.ENCRYPTION_MISMATCH


async def test_a_server_that_cannot_prove_itself_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unit.dialer.server.verify", _accept_with_false_proof)
    async with dialled() as made:
        down = await made.fail()
        assert down.reason is DisconnectReason.AUTH_REFUSED
        assert any(isinstance(event, ImpostorSuspected) for event in made.told)


def _accept_with_false_proof(exchange: Any, stored: Any) -> Any:
    verdict = verify(exchange, stored)
    return replace(verdict, authenticator_response=Secret(b"S=" + b"0" * 40))


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(300), "cookie"),
        (b"\x00\x9c\x00\x01\xde\xad\xbe\xef" + bytes(148), "cookie"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 200, ""),
        (b"\x00" * 5000, ""),
        (b"\xff" * 5000, ""),
    ],
)
async def test_a_server_that_is_not_pptp(garbage: bytes, words: str) -> None:
    async with dialled(Behaviour(garbage=garbage)) as made:
        down = await made.fail()
        assert down.reason is DisconnectReason.PROTOCOL_FAILURE
        assert words in down.evidence
        assert "\n" not in down.evidence
        assert made.world.mine.calls == {}


async def test_a_server_that_floods_and_reads_nothing() -> None:
    async with dialled(Behaviour(flood=EchoRequest(1).encode())) as made:
        down = await made.fail()
        assert (down.reason, "floods us" in down.evidence) == (DisconnectReason.PROTOCOL_FAILURE, True), down
        assert made.world.mine.calls == {}


async def test_nobody_listens() -> None:
    async with dialled() as made:
        made.world.listener.close()
        await made.world.listener.wait_closed()
        down = await made.fail()
        assert down.reason is DisconnectReason.NETWORK_ERROR
        assert "TCP failed" in down.evidence


async def test_a_refused_call() -> None:
    async with dialled(Behaviour(refuse_call=(4, 0))) as made:
        down = await made.fail()
        assert down.reason is DisconnectReason.NEGOTIATION_FAILED
        assert "refused the call" in down.evidence


async def test_addresses_are_judged() -> None:
    asked = []

    def judge(local: str, peer: str) -> str:
        asked.append((local, peer))
        return "that address is ours"

    async with dialled(judge=judge) as made:
        down = await made.fail()
        assert (down.reason, down.evidence) == (DisconnectReason.NO_ADDRESS, "that address is ours")
        assert asked == [("10.77.0.10", "10.77.0.1")]
        assert made.world.mine.opened == {}


async def test_a_reset_control_connection() -> None:
    async with dialled() as made:
        await made.connect()
        transport = made.world.connections[0].transport
        assert transport is not None
        transport.abort()
        down = await made.tunnel.wait_down()
        assert down.reason is DisconnectReason.CONTROL_LOST
        assert made.world.mine.calls == {}


async def test_silent_gre_with_a_server_that_still_answers() -> None:
    async with dialled() as made:
        up = await made.connect()
        made.world.mine.cut = True
        began = asyncio.get_running_loop().time()
        made.world.mine.tell(Upcall(UpcallKind.DEAD, up.handle, value=3))
        down = await made.tunnel.wait_down()
        assert down.reason is DisconnectReason.ECHO_TIMEOUT
        assert down.server_answers
        assert asyncio.get_running_loop().time() - began < 15, "it lingers for a second, not for ever"


async def test_silent_gre_with_a_server_that_is_gone() -> None:
    async with dialled() as made:
        up = await made.connect()
        made.world.mine.cut = made.world.behaviour.mute = True
        began = asyncio.get_running_loop().time()
        made.world.mine.tell(Upcall(UpcallKind.DEAD, up.handle, value=3))
        down = await made.tunnel.wait_down()
        assert (down.reason, down.server_answers) == (DisconnectReason.ECHO_TIMEOUT, False)
        assert asyncio.get_running_loop().time() - began < 15, "it lingers for a second, not for ever"


@pytest.mark.parametrize(
    "reason",
    [
        DisconnectReason.SESSION_TIMEOUT,
        DisconnectReason.GATEWAY_SHUTDOWN,
        DisconnectReason.ADMIN,
        DisconnectReason.VOLUME_LIMIT,
        DisconnectReason.RADIUS_DISCONNECT,
    ],
)
async def test_a_server_that_says_goodbye_is_believed(reason: DisconnectReason) -> None:
    async with dialled() as made:
        await made.connect()
        connection = made.world.connections[0]
        assert connection.session is not None
        connection.session.close(reason, "the day is over", asyncio.get_running_loop().time())
        connection.drive()
        down = await made.tunnel.wait_down()
        assert down.reason is reason
        assert next(event for event in made.told if isinstance(event, SessionEnded)).reason is reason


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (DisconnectResult.ADMIN_SHUTDOWN, DisconnectReason.GATEWAY_SHUTDOWN),
        (DisconnectResult.LOST_CARRIER, DisconnectReason.NETWORK_ERROR),
        (DisconnectResult.GENERAL_ERROR, DisconnectReason.CONTROL_LOST),
        (DisconnectResult.REQUEST, DisconnectReason.USER_REQUEST),
    ],
)
async def test_a_call_that_the_server_clears_ends_for_its_reason(
    result: DisconnectResult, reason: DisconnectReason
) -> None:
    async with dialled() as made:
        await made.connect()
        connection = made.world.connections[0]
        call_id = next(iter(made.world.theirs.calls.values())).local_call_id
        assert connection.machine.clear_call(call_id, asyncio.get_running_loop().time(), result_code=result)
        connection.drive()
        down = await made.tunnel.wait_down()
        assert (down.reason, result.name in down.evidence.upper().replace(" ", "_")) == (reason, True)


async def test_a_server_that_stops_says_so_itself() -> None:
    async with dialled() as made:
        await made.connect()
        connection = made.world.connections[0]
        connection.machine.close(DisconnectReason.GATEWAY_SHUTDOWN, asyncio.get_running_loop().time())
        connection.drive()
        down = await made.tunnel.wait_down()
        assert down.reason is DisconnectReason.GATEWAY_SHUTDOWN


async def test_a_goodbye_that_nobody_answers_is_bounded() -> None:
    async with dialled() as made:
        await made.connect()
        made.world.mine.cut = made.world.behaviour.mute = True
        began = asyncio.get_running_loop().time()
        down = await made.tunnel.close(DisconnectReason.USER_REQUEST, "asked to", patience=0.3)
        assert asyncio.get_running_loop().time() - began < 10
        assert down.reason is DisconnectReason.USER_REQUEST
        assert made.world.mine.calls == {}


async def test_call_ids_are_shared_out_and_come_back() -> None:
    async with dialled() as made:
        first, second = made.port.take_call_id(), made.port.take_call_id()
        assert first != second
        made.port.give_back_call_id(first)
        await made.connect()
        await made.tunnel.close(DisconnectReason.USER_REQUEST, "done")
        assert made.port._taken == {second}


@pytest.mark.parametrize("method", ["handle_timer", "receive"])
async def test_a_fault_of_ours_ends_the_try_instead_of_leaving_it_deaf(monkeypatch, method):
    async with dialled() as made:
        await made.connect()
        whole, mine = getattr(Session, method), made.tunnel._session

        def fails(self, *arguments):
            if self is mine:
                raise RuntimeError("a secret is in here")
            return whole(self, *arguments)

        monkeypatch.setattr(Session, method, fails)
        if method == "handle_timer":
            monkeypatch.setattr(Session, "deadline", property(lambda _: 0.0))
            made.tunnel._alarm.arm(asyncio.get_running_loop().time())
        else:
            made.world.mine.tell(Upcall(UpcallKind.FRAME, made.tunnel.call.handle, b"\xc0\x21\x09\x01\x00\x08\0\0\0\0"))
        async with asyncio.timeout(60):
            down = await made.tunnel.wait_down()
        assert down.reason is DisconnectReason.INTERNAL_ERROR
        assert down.evidence.startswith("RuntimeError at test_tunnel.py:")
        assert made.tunnel.call.handle == 0
