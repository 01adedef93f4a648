"""Work beside a block: it runs meanwhile and has ended afterwards."""

import asyncio

import pytest

from holdfast.gateway.beside import beside

pytestmark = pytest.mark.asyncio


async def test_it_runs_meanwhile_and_has_ended_afterwards():
    said: list[str] = []

    async def work() -> None:
        said.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            said.append("ended")

    async def block() -> None:
        async with beside(work()):
            await asyncio.sleep(0)
            assert said == ["begun"]
            raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        await block()
    assert said == ["begun", "ended"]


async def test_a_fault_of_the_work_is_not_hidden():
    async def work() -> None:
        raise RuntimeError("of the work")

    with pytest.raises(RuntimeError, match="of the work"):
        async with beside(work()):
            await asyncio.sleep(0.01)
