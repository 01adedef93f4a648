"""How control connections end is one word of a list: in CONTROL_CLOSED, in TEARDOWN, in the metrics."""

import asyncio
import socket
import struct
from dataclasses import replace

import pytest

from holdfast.control.connection import ConnectionMachine
from holdfast.control.messages import StopControlConnectionRequest
from holdfast.errors import DisconnectReason

pytestmark = pytest.mark.asyncio

AT_ONCE = struct.pack("ii", 1, 0)


def toml(text: str):
    return pytest.mark.parametrize("world", [text], indirect=True)


async def both(world) -> tuple[str, str]:
    """How the connection ended, as the two events say."""
    closed, ended = await world.said("CONTROL_CLOSED"), await world.said("TEARDOWN")
    return closed["control_end"], ended["control_end"]


def tcp(client) -> socket.socket:
    return client.transport.get_extra_info("socket")


async def test_the_client_closes_tcp(world, crowd):
    client = await crowd.up()
    client.transport.abort()
    assert await both(world) == ("fin", "fin")
    assert world.named("TEARDOWN")[0]["reason"] == "control_lost"


async def test_tcp_is_reset(world, crowd):
    client = await crowd.up()
    tcp(client).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    client.transport.abort()
    assert await both(world) == ("rst", "rst")
    assert "reset by peer" in world.named("TEARDOWN")[0]["evidence"]


async def test_the_client_says_goodbye(world, crowd):
    client = await crowd.up()
    client.transport.write(StopControlConnectionRequest(1).encode())
    assert await both(world) == ("stop", "stop")
    assert world.named("TEARDOWN")[0]["reason"] == "user_request"


@toml("[gateway]\necho_interval = 1.0\necho_timeout = 2.0\n")
async def test_the_client_answers_no_echo(world, crowd):
    client = await crowd.up()
    client.transport.pause_reading()
    assert await both(world) == ("echo", "echo")
    assert world.named("TEARDOWN")[0]["reason"] == "control_lost"


async def test_we_end_it(world, crowd):
    client = await crowd.up()
    client.transport.write(b"\xff" * 200)
    assert await both(world) == ("local", "local")
    assert world.named("TEARDOWN")[0]["reason"] == "protocol_failure"


async def test_a_client_that_reads_nothing_is_dropped_by_us(world, crowd):
    await crowd.up()
    connection = world.only().connection
    connection.pause_writing()
    assert await both(world) == ("local", "local")
    assert "does not read what it is sent" in world.named("TEARDOWN")[0]["evidence"]


async def test_a_session_that_ends_before_its_connection(world, crowd):
    client = await crowd.up()
    await crowd.hang_up(client)
    assert (await world.said("TEARDOWN"))["control_end"] == "open"
    client.transport.abort()
    assert (await world.said("CONTROL_CLOSED"))["control_end"] in ("fin", "stop")


async def test_a_timeout_of_tcp_and_a_network_that_says_no(world, crowd):
    for error, word in ((TimeoutError(110, "timed out"), "timeout"), (OSError(113, "no route"), "unreachable")):
        world.records.clear()
        client = await crowd.up()
        world.only().connection._transport._fatal_error(error)
        assert await both(world) == (word, word)
        client.transport.abort()
        await crowd.until(lambda: not world.gateway.connections)
        await asyncio.sleep(0)
    assert {event["reason"] for event in world.named("TEARDOWN")} == {DisconnectReason.CONTROL_LOST}


@toml("[gateway]\nidle_timeout = 0.3\n")
async def test_a_connection_on_which_no_call_is_made_is_closed(world, crowd, monkeypatch):
    monkeypatch.setattr(ConnectionMachine, "place_call", lambda *_args, **_more: True)
    await crowd.dial()
    closed = await world.said("CONTROL_CLOSED", 30)
    assert (closed["reason"], closed["detail"]) == ("idle_timeout", "no call for 0.3 s")
    await crowd.until(lambda: not world.gateway.connections, 30)


async def test_a_call_keeps_its_connection_and_the_time_begins_after_the_last(world, crowd):
    client = await crowd.up()
    connection = world.only().connection
    assert connection._idle is None
    world.gateway.settings = replace(world.gateway.settings, idle_timeout=0.2)
    await crowd.hang_up(client)
    closed = await world.said("CONTROL_CLOSED", 30)
    assert (closed["reason"], closed["detail"]) == ("idle_timeout", "no call for 0.2 s")


@toml("[gateway]\nidle_timeout = 0\n")
async def test_a_connection_may_be_allowed_to_wait_for_ever(world, crowd):
    client = await crowd.up()
    connection = world.only().connection
    await crowd.hang_up(client)
    await crowd.until(lambda: not world.gateway.subscribers)
    assert connection._idle is None
