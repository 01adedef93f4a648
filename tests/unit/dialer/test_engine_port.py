"""One engine shared between tunnels."""

import asyncio
from collections.abc import Iterator

import pytest
import pytest_asyncio

from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.dialer.engine_port import LAST_CALL_ID, EnginePort
from unit.dialer.server import WireEngine

pytestmark = pytest.mark.asyncio


class Owner:
    def __init__(self) -> None:
        self.told: list[Upcall] = []

    def take_upcall(self, upcall: Upcall) -> None:
        self.told.append(upcall)


@pytest.fixture
def engine() -> Iterator[WireEngine]:
    made = WireEngine()
    yield made
    made.close()


@pytest_asyncio.fixture
async def port(engine: WireEngine) -> "EnginePort":
    return EnginePort(engine, first_call_id=LAST_CALL_ID - 1)


async def test_each_call_has_its_owner(engine: WireEngine, port: EnginePort) -> None:
    one, other = Owner(), Owner()
    port.attach(1, one)
    port.attach(2, other)
    for handle in (1, 2, 3):
        engine.tell(Upcall(UpcallKind.FRAME, handle))
    await asyncio.sleep(0.02)
    assert [upcall.handle for upcall in one.told] == [1]
    assert [upcall.handle for upcall in other.told] == [2]
    port.detach(1)
    engine.tell(Upcall(UpcallKind.FRAME, 1))
    await asyncio.sleep(0.02)
    assert len(one.told) == 1
    port.close()


async def test_whoever_owns_the_engine_hears_that_it_broke(engine: WireEngine) -> None:
    heard: list[str] = []
    port = EnginePort(engine, broken=heard.append)
    engine.tell(Upcall(UpcallKind.BROKEN, 0, b"its thread holdfast-tx panicked"))
    await asyncio.sleep(0.02)
    port.close()
    assert heard == ["its thread holdfast-tx panicked"]


async def test_call_ids_go_round_and_are_never_zero_or_taken(port: EnginePort) -> None:
    assert [port.take_call_id() for _ in range(3)] == [LAST_CALL_ID, 1, 2]
    port.give_back_call_id(1)
    assert port.take_call_id() == 3
    port._taken = set(range(1, LAST_CALL_ID + 1))
    with pytest.raises(RuntimeError, match="in use"):
        port.take_call_id()
    port.close()
