"""When it is looked whether our tables stand, and what is told of those that did not."""

import asyncio
from collections.abc import Callable

import pytest
import pytest_asyncio

from holdfast.errors import HostError
from holdfast.events import Event, FirewallLost, FirewallPurpose, InternalFault, Severity
from holdfast.network import table_keeper
from holdfast.network.changes import AddTable
from holdfast.network.table_keeper import AT_ONCE, TableKeeper
from holdfast.network.tables import Lost

pytestmark = pytest.mark.asyncio
TABLE = AddTable("inet", "holdfast-office", (), FirewallPurpose.KILL_SWITCH)


class Host:
    """A firewall that somebody works on; `lost` is what each look finds."""

    def __init__(self) -> None:
        self.lost: list[Lost] = []
        self.always: Lost | None = None
        self.trouble: Exception | None = None
        self.looks: list[float] = []
        self.told: list[Event] = []
        self.keeper = TableKeeper(self.look, self.told.append)
        self.task = asyncio.create_task(self.keeper.run())

    async def look(self) -> list[Lost]:
        self.looks.append(asyncio.get_running_loop().time())
        if self.trouble is not None:
            raise self.trouble
        found, self.lost = self.lost, []
        return found if self.always is None else [self.always]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - what another task has done has no event
                await asyncio.sleep(0.005)

    async def lose(self, *lost: Lost) -> None:
        """Let something be lost and wait until it was looked at."""
        self.lost = list(lost)
        seen = len(self.looks)
        self.keeper.changed()
        await self.until(lambda: len(self.looks) > seen and not self.lost)
        await asyncio.sleep(0)

    def facts(self) -> list[FirewallLost]:
        return [event for event in self.told if isinstance(event, FirewallLost)]


@pytest_asyncio.fixture
async def host():
    made = Host()
    yield made
    made.task.cancel()
    await asyncio.wait({made.task})


def lost(seconds: float = 0.5, refusal: str = "", what: str = "the whole table") -> Lost:
    return Lost(TABLE, what, seconds, (4, 5), refusal)


async def test_a_change_is_looked_at_without_waiting_for_the_next_round(host, monkeypatch) -> None:
    monkeypatch.setattr(table_keeper, "PERIOD", 3600.0)
    await host.lose(lost())
    (fact,) = host.facts()
    assert (fact.table, fact.purpose, fact.missing) == ("inet holdfast-office", "kill_switch", "the whole table")
    assert (fact.restored, fact.open_seconds, fact.times) == (True, 0.5, 1)
    assert fact.level() is Severity.ERROR
    assert "put back in one step; noticed" in fact.detail


async def test_it_is_looked_when_nothing_was_heard(monkeypatch) -> None:
    monkeypatch.setattr(table_keeper, "PERIOD", 0.01)
    host = Host()
    await host.until(lambda: len(host.looks) > 2)
    host.task.cancel()
    assert host.told == []


async def test_what_belongs_to_a_gateway_is_a_warning() -> None:
    def fact(purpose: FirewallPurpose, *, restored: bool) -> FirewallLost:
        return FirewallLost("t", purpose, "all", restored, 0.1, "")

    assert fact(FirewallPurpose.GATEWAY, restored=True).level() is Severity.WARNING
    assert fact(FirewallPurpose.GATEWAY, restored=False).level() is Severity.ERROR
    assert fact(FirewallPurpose.IPV6_WALL, restored=True).level() is Severity.ERROR


async def test_a_fight_is_told_a_few_times_and_then_once_a_minute(host, monkeypatch) -> None:
    for _ in range(AT_ONCE + 1):
        await host.lose(lost())
    assert [fact.times for fact in host.facts()] == [1] * (AT_ONCE + 1)
    assert "again and again" in host.facts()[-1].detail
    assert "again and again" not in host.facts()[-2].detail
    for _ in range(5):
        await host.lose(lost())
    assert len(host.facts()) == AT_ONCE + 1
    monkeypatch.setattr(table_keeper, "CALM", 0.0)
    await host.lose()
    await host.until(lambda: len(host.facts()) > AT_ONCE + 1)
    last = host.facts()[-1]
    assert (last.times, last.open_seconds) == (5, 2.5)


async def test_a_fight_goes_on_with_pauses_that_end(host) -> None:
    host.always = lost()
    host.keeper.changed()

    async def reload_again_and_again() -> None:
        while True:
            host.keeper.changed()
            await asyncio.sleep(0.001)

    other = asyncio.create_task(reload_again_and_again())
    await host.until(lambda: len(host.looks) >= AT_ONCE + 7)
    other.cancel()
    gaps = [after - before for before, after in zip(host.looks, host.looks[1:], strict=False)]
    # One that comes late through a busy machine is no shorter for it.
    assert all(gap >= 0.45 for gap in gaps[AT_ONCE + 4 :]), gaps
    assert all(gap >= 0.04 for gap in gaps[AT_ONCE + 1 :]), gaps


async def test_after_a_minute_of_calm_the_next_loss_is_told_by_itself_again(host, monkeypatch) -> None:
    for _ in range(AT_ONCE + 3):
        await host.lose(lost())
    monkeypatch.setattr(table_keeper, "CALM", -1.0)
    await host.lose()
    await host.until(lambda: sum(fact.times for fact in host.facts()) == AT_ONCE + 3)
    monkeypatch.setattr(table_keeper, "CALM", 60.0)
    before = len(host.facts())
    await host.lose(lost())
    assert len(host.facts()) == before + 1
    assert "again and again" not in host.facts()[-1].detail


async def test_what_cannot_be_put_back_is_tried_again_by_itself_and_told_once_and_when_it_stands(
    host, monkeypatch
) -> None:
    monkeypatch.setattr(table_keeper, "PERIOD", 3600.0)
    host.always = lost(1.0, "nft refuses: out of memory")
    host.keeper.changed()
    await host.until(lambda: len(host.looks) >= AT_ONCE + 3)
    (fact,) = host.facts()
    assert not fact.restored
    assert "cannot be put back, and is tried again: nft refuses: out of memory" in fact.detail
    host.always, host.lost = None, [lost(7.0)]
    await host.until(lambda: len(host.facts()) == 2)
    assert (host.facts()[1].restored, host.facts()[1].open_seconds) == (True, 7.0)


async def test_the_time_it_was_open_is_added_up_over_what_is_told_together(host) -> None:
    for _ in range(AT_ONCE + 1):
        await host.lose(lost())
    await host.lose(lost(1.0))
    await host.lose(lost(2.0, "no"))
    await host.lose(lost(3.0, "no"))
    await host.lose(lost(4.0))
    host.keeper.tell_rest()
    assert (host.facts()[-1].open_seconds, host.facts()[-1].times) == (5.0, 4)


async def test_a_firewall_that_cannot_be_seen_is_told_once_and_looked_at_again(host, monkeypatch) -> None:
    monkeypatch.setattr(table_keeper, "PERIOD", 0.01)
    host.trouble = HostError("the kernel does not tell its firewall: no", where="firewall")
    host.keeper.changed()
    await host.until(lambda: len(host.looks) > 3)
    (fault,) = host.told
    assert isinstance(fault, InternalFault)
    assert "whether our tables stand cannot be seen: firewall" in fault.detail or "does not tell" in fault.detail
    host.trouble = ValueError("a bug")
    host.keeper.changed()
    await host.until(lambda: len(host.looks) > 6)
    assert len(host.told) == 1
    host.trouble = None
    await host.lose(lost())
    assert len(host.facts()) == 1


async def test_a_look_that_takes_long_is_not_taken_at_once_again(monkeypatch) -> None:
    monkeypatch.setattr(table_keeper, "PERIOD", 0.001)
    host = Host()
    quick = host.look

    async def slow() -> list[Lost]:
        await asyncio.sleep(0.03)
        return await quick()

    host.keeper._look = slow
    await host.until(lambda: len(host.looks) >= 3)
    host.task.cancel()
    gaps = [after - before for before, after in zip(host.looks, host.looks[1:], strict=False)]
    assert all(gap >= 0.3 for gap in gaps[1:]), gaps


async def test_what_is_held_back_is_told_at_the_end(monkeypatch) -> None:
    monkeypatch.setattr(table_keeper, "PERIOD", 0.02)
    told: list[Event] = []
    waiting = [[lost()] for _ in range(AT_ONCE + 3)]

    async def look() -> list[Lost]:
        return waiting.pop() if waiting else []

    async with table_keeper.kept(look, told.append), asyncio.timeout(30):
        while waiting:  # noqa: ASYNC110 - what the keeper does has no event
            await asyncio.sleep(0.02)
    assert sum(fact.times for fact in told if isinstance(fact, FirewallLost)) == AT_ONCE + 3
