"""A gateway that stops: everybody is told, nobody is waited for longer than there is time."""

import asyncio

import pytest

from holdfast.control.messages import CallDisconnectNotify, StopControlConnectionRequest
from holdfast.control.stream import MessageStream
from holdfast.gateway import farewell
from holdfast.gateway.service import GOODBYE_TIMEOUT
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


class Clock:
    """Time that passes only where somebody waits, or where `work` is done."""

    def __init__(self, gateway, monkeypatch) -> None:
        self.began = self.time = gateway.now()
        monkeypatch.setattr(gateway, "now", lambda: self.time)
        monkeypatch.setattr(gateway, "wait_until", self._wait_until)

    async def _wait_until(self, condition, deadline: float) -> None:
        if not condition():
            self.time = max(self.time, deadline)

    @property
    def passed(self) -> float:
        return self.time - self.began


async def silent_clients(world, monkeypatch, count: int) -> list[PnsClient]:
    clients = [await PnsClient.dial(world.client_engine, world.port) for _ in range(count)]
    for client in clients:
        await client.up()
        client.heard = b""
    world.engine.drop = True

    def hear(client, data: bytes) -> None:
        client.heard += data

    monkeypatch.setattr(PnsClient, "data_received", hear)
    return clients


async def test_a_stop_waits_no_longer_than_it_may_however_many_are_silent(world, monkeypatch):
    await silent_clients(world, monkeypatch, 3)
    clock = Clock(world.gateway, monkeypatch)
    await world.gateway.stop(GOODBYE_TIMEOUT)
    assert clock.passed == pytest.approx(GOODBYE_TIMEOUT)
    assert GOODBYE_TIMEOUT + farewell.LEAST < 5.0 / 2, "thousands take more than half of the time themselves"
    assert not world.gateway.connections


async def test_a_stop_that_takes_long_by_itself_hardly_waits(world, monkeypatch):
    await silent_clients(world, monkeypatch, 3)
    clock = Clock(world.gateway, monkeypatch)
    close = world.gateway.close_session

    def slow(*arguments):
        clock.time += 1.5
        close(*arguments)

    monkeypatch.setattr(world.gateway, "close_session", slow)
    await world.gateway.stop(GOODBYE_TIMEOUT)
    assert clock.passed == pytest.approx(3 * 1.5 + 2 * farewell.LEAST)


async def test_clients_that_answer_are_not_waited_for(world, monkeypatch):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    waits = []
    wait_until = world.gateway.wait_until

    async def patient(condition, deadline):
        # As long as it takes: with real time a busy machine decides whether the answer comes.
        waits.append(condition)
        await asyncio.wait_for(wait_until(condition, deadline + 600), 600)

    monkeypatch.setattr(world.gateway, "wait_until", patient)
    await asyncio.gather(world.gateway.stop(GOODBYE_TIMEOUT), client.wait(lambda: client.ended is not None))
    assert len(waits) == 2
    assert all(condition() for condition in waits)


async def test_everybody_is_told_everything_before_any_session_is_taken_apart(world, monkeypatch):
    clients = await silent_clients(world, monkeypatch, 3)
    said = []
    for connection in world.gateway.connections:
        write = connection._transport.write
        monkeypatch.setattr(
            connection._transport, "write", lambda octets, write=write: (said.append("told"), write(octets))
        )
    release = world.gateway.addressing.release
    monkeypatch.setattr(world.gateway.addressing, "release", lambda one: (said.append("taken apart"), release(one)))
    Clock(world.gateway, monkeypatch)
    await world.gateway.stop(GOODBYE_TIMEOUT)
    assert said == ["told"] * 3 + ["taken apart"] * 3
    assert sorted(frame[:3] for _, frame in world.engine.sent[-3:]) == [b"\xc0\x21\x05"] * 3, "Terminate-Request"
    for client in clients:
        await client.wait(lambda client=client: len(client.heard) >= 148 + 16)
        messages = [type(one) for one in MessageStream().feed(client.heard)]
        assert messages == [CallDisconnectNotify, StopControlConnectionRequest]
    assert {one["reason"] for one in world.named("TEARDOWN")} == {"gateway_shutdown"}


async def test_answers_that_come_hold_up_nobody_who_is_still_to_be_told(world, monkeypatch):
    await silent_clients(world, monkeypatch, 3)
    monkeypatch.setattr(farewell, "HELPING", 1)
    turned, told = [], []
    for connection in world.gateway.connections:
        write = connection._transport.write
        monkeypatch.setattr(
            connection._transport, "write", lambda octets, write=write: (told.append(len(turned)), write(octets))
        )

    async def turn() -> None:
        while True:
            turned.append(1)
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await world.gateway.stop(0.3)
    turning.cancel()
    assert len(told) == 3
    assert len(set(told)) == 1, "an answer is acted on when the loop turns"
