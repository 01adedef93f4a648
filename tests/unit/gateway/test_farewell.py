"""A gateway that stops: everybody is told, nobody is waited for longer than there is time."""

import asyncio

import pytest

from holdfast.gateway import farewell
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio


async def test_clients_that_do_not_answer_are_dropped_together(world):
    for _ in range(3):
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
    world.engine.drop = True
    handles = [one.carrier.handle for one in world.gateway.subscribers.values()]
    await world.gateway.stop(0.5)
    assert world.engine.let_go_of == handles
    assert not world.gateway.subscribers
    assert not world.gateway.connections
    assert {(one["reason"], one["bytes_in"]) for one in world.named("TEARDOWN")} == {("gateway_shutdown", 2)}
    assert len(world.named("TEARDOWN")) == 3


async def test_the_loop_turns_while_goodbye_is_said(world, monkeypatch):
    monkeypatch.setattr(farewell, "HELPING", 1)
    for _ in range(3):
        await (await PnsClient.dial(world.client_engine, world.port)).up()
    turned, said = [], []
    close = world.gateway.close_session

    def note(*arguments):
        said.append(len(turned))
        close(*arguments)

    async def turn() -> None:
        while True:
            turned.append(1)
            await asyncio.sleep(0)

    monkeypatch.setattr(world.gateway, "close_session", note)
    turning = asyncio.create_task(turn())
    await world.gateway.stop(0.3)
    turning.cancel()
    assert len(set(said)) == 3, "each was said goodbye in another turn"
