"""Failed logins and locks of one gateway, known to the next."""

import asyncio
import threading
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.events import Event
from holdfast.gateway.lockout_keeper import BATCH, LockoutKeeper
from holdfast.policy.lockout import Lockout, LockoutRules
from holdfast.policy.lockout_records import LockoutRecords
from holdfast.policy.store import Store

pytestmark = pytest.mark.asyncio
SOURCE = "203.0.113.9"
RULES = LockoutRules(per_account_and_source=2, lock_time=600)


def now() -> float:
    return asyncio.get_running_loop().time()


class Life:
    """One gateway's lockout and keeper."""

    def __init__(self, state: Path) -> None:
        self.store = Store.open(state)
        self.records = LockoutRecords(self.store)
        self.lockout = Lockout(RULES)
        self.told: list[Event] = []
        self.keeper = LockoutKeeper(self.lockout, self.records, self.told.append, retry=0.02)
        self.keeper.recall()
        self.task = asyncio.get_running_loop().create_task(self.keeper.run())

    def fail(self, times: int = 2, account: str = "alice") -> None:
        for _ in range(times):
            self.lockout.failed(account, SOURCE, now())

    async def written(self, rows: int) -> None:
        async with asyncio.timeout(60):
            while len(self.records.load()) != rows or self.lockout.changes:  # noqa: ASYNC110 - a thread writes
                await asyncio.sleep(0.01)

    async def end(self, *, killed: bool = False) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        if not killed:
            await self.keeper.finish()
        self.store.close()


async def test_a_lock_outlives_a_gateway_that_is_killed(tmp_path: Path) -> None:
    first = Life(tmp_path / "state")
    first.fail()
    await first.written(3)
    await first.end(killed=True)
    second = Life(tmp_path / "state")
    assert 590 < second.lockout.locked("alice", SOURCE, now()) <= 600
    assert second.lockout.unlock("alice", SOURCE, now())
    await second.written(1)
    await second.end(killed=True)
    third = Life(tmp_path / "state")
    assert third.lockout.locked("alice", SOURCE, now()) == 0
    await third.end()


async def test_an_end_writes_the_rest(tmp_path: Path) -> None:
    first = Life(tmp_path / "state")
    for number in range(BATCH):
        first.fail(1, f"user{number}")
    await first.end()
    second = Life(tmp_path / "state")
    assert len(second.lockout) == 2 * BATCH + 1
    await second.end()


async def test_a_login_never_waits_for_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(tmp_path / "state")
    begun, go_on, written = threading.Event(), threading.Event(), []

    def write(_changes: object) -> None:
        begun.set()
        go_on.wait(60)
        written.append(True)

    monkeypatch.setattr(life.records, "write", write)
    life.fail()
    assert await asyncio.to_thread(begun.wait, 60)
    for _ in range(20):
        life.fail()
        await asyncio.sleep(0)
    assert not written, "twenty logins went by while one write was under way"
    go_on.set()
    await life.end(killed=True)


async def test_a_database_that_refuses_is_told_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(tmp_path / "state")
    write, refused = life.records.write, []

    def refuse(changes) -> None:
        if len(refused) < 3:
            refused.append(1)
            raise StateError("no room")
        write(changes)

    monkeypatch.setattr(life.records, "write", refuse)
    life.fail()
    await life.written(3)
    assert [event.name for event in life.told] == ["INTERNAL_FAULT"]
    await life.end()


async def test_a_gateway_starts_when_locks_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self):
        raise StateError("damaged")

    monkeypatch.setattr(LockoutRecords, "load", broken)
    life = Life(tmp_path / "state")
    assert [event.where for event in life.told] == ["lockouts"]
    await life.end()
