"""Who is turned away hears it in the protocol's own words."""

import asyncio
import contextlib

import pytest

from holdfast.control.codes import GeneralError, OutgoingCallResult, StartResult
from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.events import CallRefused, ControlClosed
from holdfast.gateway import door

pytestmark = pytest.mark.asyncio


def toml(text: str):
    return pytest.mark.parametrize("world", [text], indirect=True)


def start_answer(client) -> str:
    (closed,) = [event for event in client.events if isinstance(event, ControlClosed)]
    return closed.detail


def call_answer(client) -> tuple[int, int]:
    (refused,) = [event for event in client.events if isinstance(event, CallRefused)]
    return refused.result_code, refused.error_code


@toml('[admission]\ndeny = ["127.0.0.0/8"]\n')
async def test_a_denied_network(world, crowd):
    client = await crowd.refused()
    assert f"result {StartResult.describe(StartResult.NOT_AUTHORIZED)}" in start_answer(client)
    (limit,) = world.named("LIMIT")
    assert (limit["limit"], limit["subject"], limit["client_ip"]) == ("denied_network", "127.0.0.1", "127.0.0.1")
    assert not world.named("CONNECT")
    assert world.nothing_left()


@toml('[admission]\nallow = ["192.0.2.0/24"]\n')
async def test_a_network_that_is_not_allowed(world, crowd):
    await crowd.refused()
    assert world.named("LIMIT")[0]["limit"] == "not_allowed_network"


@toml("[limits]\nconnections_per_address = 1\n")
async def test_too_many_connections_of_one_address(world, crowd):
    first = await crowd.up()
    client = await crowd.refused()
    assert f"error {GeneralError.describe(GeneralError.NO_RESOURCE)}" in start_answer(client)
    await crowd.hang_up(first)
    first.transport.close()
    await crowd.until(lambda: not world.gateway.connections)
    await crowd.up()


@toml("[limits]\nnew_connections_per_second = 2\n")
async def test_too_many_connections_in_a_second(world, crowd):
    clients = [await crowd.dial() for _ in range(6)]
    limit = await world.said("LIMIT")
    assert limit["limit"] == "new_connections_per_second"
    await crowd.until(lambda: sum(client.transport.is_closing() for client in clients) >= 3)


@toml("[gateway]\nmax_connections = 1\n")
async def test_a_full_house_does_not_wait_for_the_question(world, crowd):
    await crowd.up()
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
    assert world.named("LIMIT")[0]["limit"] == "connections"


@toml('[gateway]\nsetup_timeout = 2.0\n[admission]\ndeny = ["127.0.0.0/8"]\n')
async def test_those_turned_away_cannot_crowd_the_door(world, monkeypatch):
    monkeypatch.setattr(door, "MOST_TURNED_AWAY", 3)
    opened = [await asyncio.open_connection("127.0.0.1", world.port) for _ in range(5)]
    async with asyncio.timeout(60):
        while len(world.gateway.door._turned_away) < 3:  # noqa: ASYNC110 - a set tells nobody
            await asyncio.sleep(0.01)
    assert len(world.gateway.door._turned_away) == 3
    for reader, writer in opened:
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
    assert not world.gateway.door._turned_away
    assert {record["event"] for record in world.records} == {"LIMIT"}


@toml("[limits]\nsessions_per_address = 1\n")
async def test_too_many_sessions_of_one_address(world, crowd):
    await crowd.up()
    client = await crowd.refused()
    assert call_answer(client) == (OutgoingCallResult.GENERAL_ERROR, GeneralError.NO_RESOURCE)
    assert world.named("LIMIT")[0]["limit"] == "sessions_per_address"


@toml("[limits]\nhalf_open = 1\n")
async def test_too_many_half_open_calls(world, crowd):
    world.engine.drop = True
    await crowd.dial()
    await world.said("CALL_UP")
    client = await crowd.refused()
    assert call_answer(client)[0] == OutgoingCallResult.GENERAL_ERROR
    assert world.named("LIMIT")[0]["limit"] == "half_open"


@toml("[admission]\nflaps = 2\nflap_time = 30\n")
async def test_a_flapping_client_must_wait(world, crowd):
    for _ in range(2):
        client = await crowd.up()
        world.engine.tell(Upcall(UpcallKind.DEAD, next(iter(world.engine.calls)), value=3))
        await crowd.until(lambda: not world.gateway.subscribers)
        client.transport.abort()
    client = await crowd.refused()
    assert call_answer(client) == (OutgoingCallResult.BUSY, GeneralError.NONE)
    assert world.named("LIMIT")[0]["limit"] == "reconnects"


@toml("[admission]\nflaps = 2\nflap_time = 30\n")
async def test_who_hangs_up_politely_does_not_flap(world, crowd):
    for _ in range(4):
        await crowd.hang_up(await crowd.up())
    await crowd.up()


async def test_draining_refuses_calls_and_is_over_with_the_last_session(world, crowd):
    first = await crowd.up()
    waiting = await asyncio.open_connection("127.0.0.1", world.port)
    await asyncio.sleep(0.05)
    answer = await world.operation.drain({"deadline": 60})
    assert answer == {"draining": True, "sessions": 1}
    client = await crowd.refused()
    assert "result 2" in start_answer(client)
    assert not world.gateway.drained.is_set()
    await crowd.hang_up(first)
    await asyncio.wait_for(world.gateway.drained.wait(), 60)
    waiting[1].close()
    assert world.named("DRAIN")[0]["sessions"] == 1


async def test_a_connection_from_before_draining_gets_no_call(world, crowd):
    first = await crowd.up()
    await world.operation.drain({})
    world.gateway.answer_call(world.only().connection, type("Request", (), {"peer_call_id": 7, "incoming": False})())
    await crowd.until(lambda: world.named("LIMIT"))
    assert world.named("LIMIT")[0]["limit"] == "draining"
    assert first.ended is None


async def test_draining_has_a_deadline_and_can_be_taken_back(world, crowd):
    await crowd.up()
    await world.operation.drain({"deadline": 0.2})
    await world.operation.drain({"cancel": True})
    await asyncio.sleep(0.3)
    assert not world.gateway.drained.is_set()
    await crowd.up()
    await world.operation.drain({"deadline": 0.2})
    await asyncio.wait_for(world.gateway.drained.wait(), 60)


async def test_an_empty_gateway_is_drained_at_once(world):
    await world.operation.drain({})
    assert world.gateway.drained.is_set()
