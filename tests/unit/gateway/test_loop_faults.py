"""Faults on the loop that nobody caught reach the event log, without what their texts hold."""

import asyncio

import pytest

from holdfast.gateway import loop_faults
from holdfast.gateway.loop_faults import LoopFaults

pytestmark = pytest.mark.asyncio


async def settle(told) -> None:
    async with asyncio.timeout(20):
        while not told:  # noqa: ASYNC110 - the loop tells nobody else
            await asyncio.sleep(0.01)


async def test_a_callback_that_raises_is_told_and_its_words_are_not():
    told = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(LoopFaults(told.append))

    def fail() -> None:
        raise ValueError("hunter2")

    loop.call_soon(fail)
    await settle(told)
    assert told[0].where == "event loop"
    assert "ValueError at test_loop_faults.py:" in told[0].detail
    assert "hunter2" not in told[0].detail


async def test_a_flood_of_faults_is_one_event_and_a_count(monkeypatch):
    told = []
    loop = asyncio.get_running_loop()
    handler = LoopFaults(told.append)
    for _ in range(5):
        handler(loop, {"message": "socket.accept() out of system resource"})
    monkeypatch.setattr(handler, "_next", 0.0)
    handler(loop, {})
    assert [one.detail for one in told] == ["socket.accept() out of system resource", "a fault (and 4 before it)"]
    assert loop_faults.INTERVAL > 0
