"""What runs beside a tunnel that is up: here the size of the path; the rest needs a tunnel of the kernel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from holdfast.dialer import beside
from holdfast.dialer.addresses import HostView
from holdfast.dialer.beside import Beside
from holdfast.dialer.carrier_path import CarrierPath
from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.host_side import Surroundings
from holdfast.dialer.phases import Phase
from holdfast.dialer.settings import LinkSettings, TunnelSettings
from holdfast.dialer.tunnel import Tunnel
from holdfast.errors import DisconnectReason, HostError
from holdfast.events import DialNoticed, Event, HostChanged, PathMeasured
from unit.dialer.server import PASSWORD, Behaviour, World, world

pytestmark = pytest.mark.asyncio
HERE = IPv4Address("127.0.0.1")
WIDE = Surroundings(HostView(), CarrierPath(None), 1456)


@dataclass
class Host:
    """Notes the sizes that it is told."""

    sizes: list[int] = field(default_factory=list)
    refuses: bool = False
    told_resolved: bool = False

    async def resize(self, mtu: int) -> list[str]:
        if self.refuses:
            raise HostError("the kernel refuses", where="link pptp0")
        self.sizes.append(mtu)
        return [f"MTU {mtu}"]


@dataclass
class Scene:
    world: World
    host: Host
    beside: Beside
    told: list[Event]
    resized: list[int]
    phases: list[Phase]

    async def until_told(self, kind: type[Event], times: int) -> list[Any]:
        """Wait for so many facts of a kind; return them."""
        async with asyncio.timeout(60):
            while sum(isinstance(event, kind) for event in self.told) < times:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)
        return [event for event in self.told if isinstance(event, kind)]


@asynccontextmanager
async def scene(interval: float = 600.0, *, ready: bool = True) -> AsyncIterator[Scene]:
    async with world(Behaviour()) as made:
        port, host = EnginePort(made.mine), Host()
        told: list[Event] = []
        resized: list[int] = []
        settings = TunnelSettings("127.0.0.1", "alice", port=made.port, interface="no-such-link")
        settings = replace(settings, link=LinkSettings(path_interval=interval))
        phases: list[Phase] = []
        tunnel = Tunnel(settings, PASSWORD, port, listener=lambda step: phases.append(step.phase))
        up = await tunnel.connect("127.0.0.1")
        made_beside = Beside(settings, tunnel, up, WIDE, host, server=HERE, tell=told.append, resized=resized.append)  # type: ignore[arg-type]
        task = asyncio.ensure_future(made_beside.run())
        if ready:
            made_beside.host_is_ready()
        try:
            yield Scene(made, host, made_beside, told, resized, phases)
        finally:
            task.cancel()
            await asyncio.wait({task})
            await tunnel.close(DisconnectReason.USER_REQUEST, "enough")
            port.close()


class Answering:
    """Stands in for the sockets inside: the first ping is answered at once."""

    def __init__(self, *_where: object) -> None: ...

    def close(self) -> None: ...

    async def first_answer(self, _address: IPv4Address, _pauses: object) -> float:
        return 0.001

    async def ask_routes(self) -> None:
        return None


async def test_the_first_answer_is_asked_for_at_once_and_told_when_the_host_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = asyncio.Event()

    class Asked(Answering):
        async def first_answer(self, address: IPv4Address, pauses: object) -> float:
            asked.set()
            return await super().first_answer(address, pauses)

    monkeypatch.setattr(beside, "InnerSocket", Asked)
    async with scene(ready=False) as one:
        async with asyncio.timeout(30):
            await asked.wait()
        await asyncio.sleep(0.05)
        assert Phase.TRAFFIC not in one.phases, "routes and firewall do not stand yet: nothing is up"
        assert one.beside.path is None
        one.beside.host_is_ready()
        await one.until_told(PathMeasured, 1)
        assert Phase.TRAFFIC in one.phases


async def test_a_wide_path_changes_nothing() -> None:
    async with scene() as one:
        (found,) = await one.until_told(PathMeasured, 1)
        assert (found.mtu, found.both_ways) == (1396, True)
        assert one.host.sizes == one.resized == []
        assert one.beside.path is not None
        assert one.beside.path.mtu == 1396


async def test_after_a_change_of_the_network_it_is_lowered_and_comes_back() -> None:
    async with scene() as one:
        await one.until_told(PathMeasured, 1)
        one.world.mine.carries = 1200
        one.beside.network_changed(WIDE)
        lowered = (await one.until_told(PathMeasured, 2))[-1].mtu
        assert 1200 - 4 - 4 < lowered <= 1200 - 4
        await one.until_told(HostChanged, 1)
        assert one.world.mine.links[-1].mtu == lowered
        one.world.mine.carries = 9000
        one.beside.network_changed(WIDE)
        assert (await one.until_told(PathMeasured, 3))[-1].mtu == 1396
        await one.until_told(HostChanged, 2)
        assert one.host.sizes == one.resized == [lowered, 1396]
        assert one.world.mine.links[-1].mtu == 1396


async def test_never_more_than_the_interface_has_room_for() -> None:
    async with scene() as one:
        await one.until_told(PathMeasured, 1)
        one.beside.network_changed(replace(WIDE, mtu=1000))
        assert (await one.until_told(PathMeasured, 2))[-1].mtu == 1000


async def test_it_is_measured_again_and_again() -> None:
    async with scene(interval=0.05) as one:
        await one.until_told(PathMeasured, 1)
        one.world.mine.carries = 1000
        assert (await one.until_told(PathMeasured, 2))[-1].mtu <= 1000 - 4


async def test_it_is_not_measured_when_told_so() -> None:
    async with scene(interval=0) as one:
        await one.until_told(DialNoticed, 1)
        await asyncio.sleep(0.1)
        assert one.beside.path is None


async def test_a_host_that_refuses_is_said_and_tried_again() -> None:
    async with scene(interval=0.05) as one:
        one.host.refuses = True
        await one.until_told(PathMeasured, 1)
        one.world.mine.carries = 1000
        notes = await one.until_told(DialNoticed, 2)
        assert "the kernel refuses" in notes[-1].detail
        one.host.refuses = False
        await one.until_told(HostChanged, 1)
        assert one.resized[-1] <= 1000 - 4
