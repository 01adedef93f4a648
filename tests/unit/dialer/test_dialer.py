"""A tunnel that stays up: against a small server on loopback, with a host that only takes notes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.dialer.addresses import HostView
from holdfast.dialer.carrier_path import CarrierPath
from holdfast.dialer.dialer import Dialer
from holdfast.dialer.host_side import Surroundings
from holdfast.dialer.outcome import Up
from holdfast.dialer.reconnect import ExitCode, Phase, ReconnectPolicy
from holdfast.dialer.settings import TunnelSettings
from holdfast.errors import DisconnectReason, HostError
from holdfast.events import CarrierChanged, DialScheduled, DialStopped, Event
from holdfast.network.netlink import Route
from holdfast.network.tables import Lost
from holdfast.secret import Secret
from unit.dialer.server import PASSWORD, Behaviour, World, world

pytestmark = pytest.mark.asyncio
HERE = IPv4Address("127.0.0.1")
UPLINK = Route("0.0.0.0/0", "eth0", "192.0.2.1")
OTHER = Route("0.0.0.0/0", "wlan0", "203.0.113.1")


@dataclass
class NotedHost:
    """Stands in for the host side."""

    notes: list[str] = field(default_factory=list)
    route: Route | None = UPLINK
    addresses: tuple[IPv4Address, ...] = (HERE,)
    standing: bool = True
    refusal: HostError | None = None
    objection: str = ""
    told_resolved: bool = False
    lost: list[Lost] = field(default_factory=list)

    async def guard(self, servers: Sequence[IPv4Address]) -> list[str]:
        self.notes.append(f"guard {servers}")
        return []

    async def remembered(self) -> list[IPv4Address]:
        return []

    async def allow(self, servers: Sequence[IPv4Address]) -> None: ...

    async def restore(self) -> list[str]:
        return []

    async def restore_tables(self) -> list[Lost]:
        lost, self.lost = self.lost, []
        return lost

    async def look(self, server: IPv4Address) -> Surroundings:
        return Surroundings(HostView(self.addresses), CarrierPath(self.route), 1400)

    def judge(self, surroundings: Surroundings, server: IPv4Address) -> Callable[[str, str], str]:
        return lambda _local, _peer: self.objection

    async def address(self, up: Up, server: IPv4Address, surroundings: Surroundings) -> list[str]:
        return ["an address"]

    async def up(self, up: Up, server: IPv4Address, surroundings: Surroundings) -> tuple[list[str], tuple[str, ...]]:
        if self.refusal is not None:
            raise self.refusal
        self.notes.append(f"up {up.local}")
        return ["something"], ("because",)

    async def more(self, answer: Any, up: Up, surroundings: Surroundings) -> tuple[list[str], tuple[str, ...]]:
        return [], ()

    async def repin(self, path: CarrierPath) -> bool:
        self.notes.append(f"repin {path}")
        self.standing = True
        return True

    async def resize(self, mtu: int) -> list[str]:
        self.notes.append(f"mtu {mtu}")
        return [f"MTU {mtu}"]

    async def pinned(self) -> bool:
        return self.standing

    async def down(self) -> list[str]:
        self.notes.append("down")
        return []

    async def end(self) -> list[str]:
        self.notes.append("end")
        return []


@dataclass
class Running:
    dialer: Dialer
    world: World
    host: NotedHost
    told: list[Event]
    task: "asyncio.Task[int]"

    async def until(self, condition: Callable[[], bool], patience: float = 60.0) -> None:
        async with asyncio.timeout(patience):
            while not condition():  # noqa: ASYNC110 - the state of another task has no event
                await asyncio.sleep(0.01)

    async def up(self, times: int = 1) -> None:
        await self.until(lambda: sum(note.startswith("up") for note in self.host.notes) >= times)
        await self.until(lambda: self.dialer.reconnect.phase is Phase.UP)

    async def stop(self) -> int:
        self.dialer.stop("enough")
        return await asyncio.wait_for(self.task, 60)


@asynccontextmanager
async def running(
    behaviour: Behaviour | None = None,
    password: Secret = PASSWORD,
    host: NotedHost | None = None,
    server: str = "127.0.0.1",
    **policy: Any,
) -> AsyncIterator[Running]:
    noted = host or NotedHost()
    async with world(behaviour or Behaviour()) as made:
        policy = {"minimum": 0.05, "maximum": 0.1, "spread": 0.05, **policy}
        settings = TunnelSettings(server, "alice", port=made.port, connect_timeout=1.0)
        settings = replace(settings, reconnect=ReconnectPolicy(**policy))
        told: list[Event] = []
        dialer = Dialer(settings, password, made.mine, noted, report=lambda event, _context: told.append(event))  # type: ignore[arg-type]
        task = asyncio.ensure_future(dialer.run())
        try:
            yield Running(dialer, made, noted, told, task)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})


async def test_up_status_and_a_polite_end() -> None:
    async with running() as one:
        await one.up()
        status = one.dialer.status()
        assert (status["state"], status["name"], status["address"]) == ("up", "default", "127.0.0.1")
        assert status["up"]["local"] == "10.77.0.10"
        assert status["phases"][0]["phase"] == "name"
        await one.until(lambda: one.dialer.status()["path"] is not None)
        assert one.dialer.status()["path"]["mtu"] == one.dialer.status()["up"]["mtu"] == 1396
        assert await one.stop() == ExitCode.DONE
        assert one.host.notes == ["up 10.77.0.10", "down", "end"]
        assert any(isinstance(event, DialStopped) for event in one.told)
        assert one.dialer.status()["last_end"]["reason"] == "user_request"


async def test_a_lost_tunnel_comes_back() -> None:
    async with running() as one:
        await one.up()
        transport = one.world.connections[0].transport
        assert transport is not None
        transport.abort()
        await one.up(2)
        assert one.host.notes[:3] == ["up 10.77.0.10", "down", "up 10.77.0.10"]
        (wait,) = [event for event in one.told if isinstance(event, DialScheduled)]
        assert wait.reason is DisconnectReason.CONTROL_LOST
        assert await one.stop() == ExitCode.DONE


async def test_a_wrong_password_ends_it() -> None:
    async with running(password=Secret.from_text("no")) as one:
        assert await asyncio.wait_for(one.task, 60) == ExitCode.HOPELESS
        assert "check user name and password" in one.dialer.message
        assert one.host.notes == ["down", "end"]
        assert len(one.world.connections) == 1


async def test_a_server_that_is_not_there_is_tried_until_the_limit() -> None:
    async with running(maximum_tries=3) as one:
        one.world.listener.close()
        await one.world.listener.wait_closed()
        assert await asyncio.wait_for(one.task, 60) == ExitCode.GAVE_UP
        assert sum(isinstance(event, DialScheduled) for event in one.told) == 2


async def test_an_ipv6_address_is_refused_at_once() -> None:
    async with running(server="2001:db8::1") as one:
        assert await asyncio.wait_for(one.task, 60) == ExitCode.HOPELESS
        assert "PPTP runs over IPv4" in one.dialer.message


async def test_a_name_with_several_addresses_is_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(_dialer: Dialer, _host: str) -> list[IPv4Address]:
        return [IPv4Address("127.0.0.9"), HERE]

    monkeypatch.setattr(Dialer, "_resolve", resolve)
    async with running(server="vpn.example") as one:
        await one.up()
        assert one.dialer.status()["address"] == "127.0.0.1"
        assert any("127.0.0.9: TCP failed" in str(event) for event in one.told)
        assert await one.stop() == ExitCode.DONE


async def test_a_name_that_is_lost_later_is_dialled_by_its_last_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(server="localhost") as one:
        await one.up()

        async def no_answer(*_arguments: Any, **_options: Any) -> Any:
            raise OSError(-3, "Temporary failure in name resolution")

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_answer)
        transport = one.world.connections[0].transport
        assert transport is not None
        transport.abort()
        await one.up(2)
        assert any("addresses of the last time" in str(event) for event in one.told)
        assert await one.stop() == ExitCode.DONE


async def test_a_host_that_refuses_is_said_at_once() -> None:
    async with running(host=NotedHost(refusal=HostError("no", where="route", fix="do"))) as one:
        assert await asyncio.wait_for(one.task, 60) == ExitCode.HOPELESS
        assert "route: no" in one.dialer.message
        assert one.world.mine.calls == {}


async def test_a_host_that_refuses_later_is_tried_again() -> None:
    async with running() as one:
        await one.up()
        one.host.refusal = HostError("not now")
        transport = one.world.connections[0].transport
        assert transport is not None
        transport.abort()
        await one.until(lambda: len(one.world.connections) >= 3)
        one.host.refusal = None
        await one.up(2)
        assert await one.stop() == ExitCode.DONE


async def test_addresses_that_clash() -> None:
    async with running(host=NotedHost(objection="that is ours"), persist=False) as one:
        assert await asyncio.wait_for(one.task, 60) == ExitCode.GAVE_UP
        assert "that is ours" in one.dialer.message


async def test_stopping_while_it_waits() -> None:
    async with running(minimum=60.0, maximum=60.0) as one:
        one.world.listener.close()
        await one.world.listener.wait_closed()
        await one.until(lambda: one.dialer.reconnect.phase is Phase.WAITING and one.dialer.reconnect.tries >= 2)
        assert one.dialer.status()["next_try_in"] > 50
        assert await one.stop() == ExitCode.DONE


async def test_stopping_while_it_connects() -> None:
    async with running(Behaviour(mute=True)) as one:
        await one.until(lambda: bool(one.world.connections))
        assert await one.stop() == ExitCode.DONE
        assert one.host.notes == ["down", "end"]


async def test_another_network_while_it_waits_means_now() -> None:
    async with running(minimum=60.0, maximum=60.0) as one:
        one.world.listener.close()
        await one.world.listener.wait_closed()
        await one.until(lambda: one.dialer.reconnect.phase is Phase.WAITING and one.dialer.reconnect.tries >= 2)
        one.dialer.network_changed("links changed")
        await asyncio.sleep(0.1)
        assert one.dialer.reconnect.phase is Phase.WAITING, "the way to the server is the same"
        one.host.route = OTHER
        before = one.dialer.reconnect.tries
        one.dialer.network_changed("links changed")
        await one.until(lambda: one.dialer.reconnect.tries > before)
        assert await one.stop() == ExitCode.DONE


async def test_a_change_in_the_middle_of_a_look_is_looked_at_too() -> None:
    async with running(minimum=60.0, maximum=60.0) as one:
        one.world.listener.close()
        await one.world.listener.wait_closed()
        await one.until(lambda: one.dialer.reconnect.phase is Phase.WAITING and one.dialer.reconnect.tries >= 2)
        looks, may_end, look = [], asyncio.Event(), one.host.look

        async def slow(server: IPv4Address) -> Surroundings:
            seen = await look(server)
            looks.append(seen.path.route)
            await may_end.wait()
            return seen

        one.host.look = slow  # type: ignore[method-assign]
        before = one.dialer.reconnect.tries
        one.dialer.network_changed("links changed")
        await one.until(lambda: bool(looks))
        one.host.route = OTHER
        one.dialer.network_changed("routes changed")
        may_end.set()
        await one.until(lambda: one.dialer.reconnect.tries > before)
        assert looks[:2] == [UPLINK, OTHER]
        assert await one.stop() == ExitCode.DONE


async def test_our_address_is_gone() -> None:
    async with running() as one:
        await one.up()
        one.host.addresses, one.host.route = (IPv4Address("203.0.113.2"),), OTHER
        one.dialer.network_changed("links changed")
        await one.up(2)
        (wait,) = [event for event in one.told if isinstance(event, DialScheduled)]
        assert (wait.reason, wait.delay) == (DisconnectReason.NETWORK_ERROR, 0)
        assert await one.stop() == ExitCode.DONE


async def test_a_touched_path_is_probed_and_found_dead() -> None:
    async with running() as one:
        await one.up()
        one.host.route = OTHER
        one.dialer.network_changed("links changed")
        await one.up(2)
        assert any(keepalive.interval < 1 for keepalive in one.world.mine.keepalives), "it asked at once"
        assert await one.stop() == ExitCode.DONE


async def test_a_pin_that_fell_is_put_back_before_probing() -> None:
    async with running() as one:
        await one.up()
        one.host.standing = False
        one.dialer.network_changed("routes changed")
        await one.until(lambda: "repin 192.0.2.1 on eth0" in one.host.notes)
        assert any(isinstance(event, CarrierChanged) for event in one.told)
        assert await one.stop() == ExitCode.DONE


async def test_silence_is_told_and_mended() -> None:
    async with running() as one:
        await one.up()
        up = one.dialer.up
        assert up is not None
        one.world.mine.tell(Upcall(UpcallKind.DEAD, up.handle, value=3))
        await one.up(2)
        (wait,) = [event for event in one.told if isinstance(event, DialScheduled)]
        assert (wait.reason, wait.delay) == (DisconnectReason.ECHO_TIMEOUT, 0), "the server answers on TCP"
        assert await one.stop() == ExitCode.DONE
