"""The gateway: real control connections, real PPP, engines in memory."""

import asyncio

import pytest

from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.errors import DisconnectReason
from holdfast.session import SessionState
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio


async def settled(world, client=None, seconds=5.0):
    """Wait until the gateway has no session left."""
    async with asyncio.timeout(seconds):
        while world.gateway.subscribers:
            if client is not None:
                client.poll()
            await asyncio.sleep(0.005)


async def test_a_client_comes_up_encrypted_and_with_an_address(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    call = next(iter(world.engine.calls.values()))
    mirror = next(iter(world.client_engine.calls.values()))
    assert call.mppe_required
    assert call.receive.start_key == mirror.transmit.start_key
    assert call.transmit.start_key == mirror.receive.start_key
    assert call.addresses == ("10.77.0.10",)
    assert call.keepalive.interval == 10
    (session,) = await world.api.sessions({})
    assert (session["user"], session["address"], session["state"]) == ("alice", "10.77.0.10", "up")
    assert [record["event"] for record in world.records if record["event"] != "CALL_UP"][:2] == [
        "CONNECT",
        "CONTROL_UP",
    ]


async def test_goodbye_from_the_client_releases_everything(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    client.session.close(DisconnectReason.USER_REQUEST, "enough", asyncio.get_running_loop().time())
    client.drive_session()
    await client.wait(lambda: client.ended is not None)
    await settled(world, client)
    (end,) = world.named("TEARDOWN")
    assert (end["reason"], end["user"], end["bytes_in"], end["bytes_out"]) == ("user_request", "alice", 2, 4)
    assert world.nothing_left()


async def test_a_lost_control_connection_ends_the_session(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    client.transport.abort()
    await settled(world)
    (end,) = world.named("TEARDOWN")
    assert end["reason"] == "control_lost"
    assert world.nothing_left()


async def test_a_wrong_password_is_refused_and_said(world):
    client = await PnsClient.dial(world.client_engine, world.port, password="guess")
    await client.wait(lambda: client.ended is not None, 15)
    await settled(world, client)
    (end,) = world.named("TEARDOWN")
    assert end["reason"] == "auth_failed"
    assert world.named("AUTH_FAIL")
    assert "guess" not in str(world.records)
    assert world.nothing_left()


async def test_the_engine_says_dead(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    handle = next(iter(world.engine.calls))
    world.engine.tell(Upcall(UpcallKind.DEAD, handle, value=3))
    await settled(world)
    (end,) = world.named("TEARDOWN")
    assert end["reason"] == "echo_timeout"
    assert "3 LCP echoes unanswered since" in end["evidence"]
    await client.wait(lambda: client.ended is not None)
    assert world.nothing_left()


async def test_an_administrator_ends_a_session(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    ended = await world.api.disconnect({"user": "alice"})
    assert [one["user"] for one in ended] == ["alice"]
    await settled(world, client)
    assert world.named("TEARDOWN")[0]["reason"] == "admin"
    assert world.named("ADMIN")
    await client.wait(lambda: client.ended is not None)
    assert world.nothing_left()
    assert await world.api.disconnect({"user": "alice"}) == []


async def test_two_sessions_never_share_an_address_or_a_call_id(world):
    clients = [await PnsClient.dial(world.client_engine, world.port) for _ in range(3)]
    async with asyncio.timeout(60):
        while not all(client.session.state is SessionState.UP for client in clients):
            upcalls = world.client_engine.poll()
            for upcall in upcalls:
                for client in clients:
                    if client.carrier and client.carrier.handle == upcall.handle:
                        client.session.receive(upcall.frame, client.loop.time())
                        client.drive_session()
            await asyncio.sleep(0.005)
    sessions = await world.api.sessions({})
    assert len({session["address"] for session in sessions}) == 3
    assert len({session["local_call_id"] for session in sessions}) == 3


@pytest.mark.parametrize("world", ['[addresses]\npool = ["10.77.0.10"]\n'], indirect=True)
async def test_an_empty_pool_is_said(world):
    first = await PnsClient.dial(world.client_engine, world.port)
    await first.up()
    second = await PnsClient.dial(world.client_engine, world.port)
    await second.wait(lambda: second.ended is not None, 15)
    assert world.named("NO_ADDRESS")
    reasons = [record["reason"] for record in world.named("TEARDOWN")]
    assert reasons == ["no_address"]


async def test_stopping_says_goodbye_to_everyone(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    stopping = asyncio.create_task(world.gateway.stop(4.0))
    await client.wait(lambda: client.ended is not None)
    await stopping
    assert world.named("TEARDOWN")[0]["reason"] == "gateway_shutdown"
    assert not world.gateway.connections
    assert world.nothing_left()


@pytest.mark.parametrize("world", ["[gateway]\nmax_connections = 3\nsetup_timeout = 0.3\n"], indirect=True)
async def test_silent_connections_are_closed_and_real_clients_get_in(world):
    silent = [await asyncio.open_connection("127.0.0.1", world.port) for _ in range(3)]
    _, refused = await asyncio.open_connection("127.0.0.1", world.port)
    for reader, writer in silent:
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
    refused.close()
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()


async def test_garbage_ends_only_its_own_connection(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + bytes(200))
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
    assert world.named("CONTROL_VIOLATION")
    assert client.session.state is SessionState.UP
