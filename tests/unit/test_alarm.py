"""One timer of the event loop for one machine."""

import asyncio

import pytest

from holdfast.alarm import Alarm

pytestmark = pytest.mark.asyncio


async def test_it_calls_back_at_the_earliest_deadline_it_was_given():
    loop, called = asyncio.get_running_loop(), []
    alarm = Alarm(loop, lambda: called.append(loop.time()))
    start = loop.time()
    alarm.arm(start + 10)
    alarm.arm(start + 0.02)
    alarm.arm(start + 5)
    await asyncio.sleep(0.06)
    assert len(called) == 1
    assert called[0] >= start + 0.02 - 0.001


async def test_no_deadline_means_no_call():
    loop, called = asyncio.get_running_loop(), []
    alarm = Alarm(loop, lambda: called.append(1))
    alarm.arm(loop.time() + 0.01)
    alarm.arm(None)
    await asyncio.sleep(0.03)
    assert called == []
