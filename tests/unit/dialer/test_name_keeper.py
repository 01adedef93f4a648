"""Name servers told again to a systemd-resolved that lost them."""

import asyncio

import pytest

from holdfast.dialer import name_keeper
from holdfast.dialer.name_keeper import NameKeeper
from holdfast.errors import HostError
from holdfast.events import DialNoticed, Event, HostChanged

pytestmark = pytest.mark.asyncio


class Host:
    """A systemd-resolved that is there or not, knows what it was told or not, and its files."""

    def __init__(self) -> None:
        self.there = self.knows = True
        self.files = 0
        self.asked = 0
        self.told: list[Event] = []

    def look(self) -> int:
        return self.files

    async def tell_resolved_again(self) -> list[str]:
        self.asked += 1
        if not self.there:
            raise HostError("systemd-resolved refuses: no bus", where="DNS pptp0")
        if self.knows:
            return []
        self.knows = True
        self.files += 1
        return ["DNS 10.0.0.1"]

    async def until_asked(self, times: int) -> None:
        """Let the keeper work until it asked so often more."""
        wanted = self.asked + times
        async with asyncio.timeout(60):
            while self.asked < wanted:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.001)
        await asyncio.sleep(0)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(name_keeper, "LOOK", 0.005)
    return Host()


async def kept(host: Host) -> "asyncio.Task[None]":
    task = asyncio.ensure_future(NameKeeper(host, host.told.append, host.look).run())
    await asyncio.sleep(0.02)
    return task


async def test_nobody_is_asked_while_the_files_stay(host: Host) -> None:
    task = await kept(host)
    await asyncio.sleep(0.05)
    assert host.asked == 0
    task.cancel()


async def test_what_was_lost_is_told_again_and_said_once(host: Host) -> None:
    task = await kept(host)
    host.knows, host.files = False, host.files + 1
    await host.until_asked(2)
    assert [type(event) for event in host.told] == [DialNoticed, HostChanged]
    await asyncio.sleep(0.05)
    assert host.asked == 2, "what was told changed the files, which is looked at once"
    task.cancel()


async def test_a_change_that_lost_nothing_is_not_told(host: Host) -> None:
    task = await kept(host)
    host.files += 1
    await host.until_asked(1)
    assert host.told == []
    task.cancel()


async def test_one_that_is_gone_is_said_once_and_asked_until_it_is_back(host: Host) -> None:
    task = await kept(host)
    host.there, host.knows, host.files = False, False, host.files + 1
    await host.until_asked(5)
    (noticed,) = host.told
    assert isinstance(noticed, DialNoticed)
    assert "no bus" in noticed.detail
    host.there = True
    await host.until_asked(2)
    assert [type(event) for event in host.told] == [DialNoticed, DialNoticed, HostChanged]
    task.cancel()


async def test_it_is_asked_now_and_then_whatever_the_files_say(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_keeper, "ASK", 0.02)
    task = await kept(host)
    host.knows = False
    await host.until_asked(1)
    assert host.knows
    task.cancel()
