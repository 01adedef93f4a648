"""Addresses and sessions are written behind the sessions' back: nobody waits for the disk, a stop loses nothing."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
import pytest_asyncio

from holdfast.errors import StateError
from holdfast.gateway import state_keeper
from holdfast.gateway.state_keeper import StateKeeper, kept_state
from holdfast.policy.addresses import AddressPool, PoolRules
from holdfast.policy.ranges import AddressRange
from holdfast.policy.session_records import SessionRecord, SessionRecords
from holdfast.policy.state_changes import StateChanges
from holdfast.policy.state_changes import write as really
from holdfast.policy.store import Store

pytestmark = pytest.mark.asyncio
POOL = PoolRules((AddressRange.parse("10.77.0.10-10.77.0.200"),))


class Life:
    """One gateway's state as far as it is written."""

    def __init__(self, state: Path) -> None:
        self.store = Store.open(state)
        self.changes, self.told = StateChanges(), []
        self.pool = AddressPool(POOL, self.store, remember=self.changes.lease)
        self.records = SessionRecords(self.store)
        self.keeper = StateKeeper(self.changes, self.store, self.told.append, retry=0.05)

    def up(self, session: str, user: str) -> str:
        address = str(self.pool.allocate(session, user))
        self.changes.add(SessionRecord(session, user, 1, address, time.time()))
        return address

    def down(self, session: str) -> None:
        self.pool.release(session)
        self.changes.remove(session)


@pytest_asyncio.fixture
async def life(tmp_path):
    made = Life(tmp_path / "state")
    task = asyncio.create_task(made.keeper.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    made.store.close()


async def written(life: Life) -> None:
    async with asyncio.timeout(60):
        while life.changes or life.keeper._wake.is_set():  # noqa: ASYNC110 - a thread writes
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)


async def test_a_successor_knows_what_a_kill_cut_off_and_gives_the_same_address_again(life, tmp_path):
    address = life.up("one", "alice")
    life.up("two", "bob")
    life.down("two")
    await written(life)
    second = Life(tmp_path / "state")
    assert [left.session for left in second.records.leftovers()] == ["one"]
    assert second.up("three", "carol") != address
    assert second.up("four", "alice") == address
    second.store.close()


async def test_nobody_waits_for_another_process_that_holds_the_lock(life):
    other = sqlite3.connect(life.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    for number in range(100):
        life.up(str(number), f"user{number}")
    for number in range(50):
        life.down(str(number))
    assert time.monotonic() - began < 4.5  # SQLite's own patience, for each of them, would be five seconds
    await asyncio.sleep(0.1)
    other.execute("COMMIT")
    other.close()
    await written(life)
    assert len(life.records.leftovers()) == 50
    assert life.told == []


async def test_what_cannot_be_written_is_told_once_and_written_later(life, monkeypatch):
    full = [True]

    def write(store, batch):
        if full:
            raise StateError("the database cannot be used: database or disk is full", where=str(store.path))
        really(store, batch)

    monkeypatch.setattr(state_keeper, "write", write)
    life.up("one", "alice")
    async with asyncio.timeout(60):
        while not life.told:  # noqa: ASYNC110 - a thread writes
            await asyncio.sleep(0.01)
    life.up("two", "bob")
    life.down("one")
    await asyncio.sleep(0.3)
    assert [event.where for event in life.told] == ["state database"]
    full.clear()
    await written(life)
    assert [left.session for left in life.records.leftovers()] == ["two"]
    assert len(life.told) == 1


async def test_a_stop_writes_the_rest_in_one_go(tmp_path):
    life, written_by = Life(tmp_path / "state"), []
    async with kept_state(life.changes, life.store, written_by.append):
        for number in range(150):
            life.up(str(number), f"user{number}")
        await asyncio.sleep(0.01)
        for number in range(149):
            life.down(str(number))
    assert [left.session for left in life.records.leftovers()] == ["149"]
    assert written_by == []
    life.store.close()


async def test_the_log_goes_first(tmp_path):
    life, logged, asked = Life(tmp_path / "state"), asyncio.Event(), asyncio.Event()

    async def settled() -> None:
        asked.set()
        await logged.wait()

    async def left(*names: str) -> None:
        async with asyncio.timeout(60):
            while [one.session for one in life.records.leftovers()] != list(names):  # noqa: ASYNC110 - a thread writes
                await asyncio.sleep(0.01)

    async with kept_state(life.changes, life.store, life.told.append, settled):
        life.up("one", "alice")
        await asked.wait()
        assert life.records.leftovers() == []
        logged.set()
        await left("one")
        asked.clear()
        logged.clear()
        life.down("one")
        await asked.wait()
        await left("one")
        logged.set()
    assert life.records.leftovers() == []
    life.store.close()
