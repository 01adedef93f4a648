"""After a kill each session has exactly one end, whatever the database and the log got to know before it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import CallEstablished, IpOpened, SessionEnded, SessionStarted
from holdfast.gateway.leftovers import report_leftovers, settled
from holdfast.observe.event_log import EventLog, LogOptions
from holdfast.policy.session_records import SessionRecord, SessionRecords
from holdfast.policy.store import Store
from support.logs import records

pytestmark = pytest.mark.asyncio
SPOKEN = SessionEnded(DisconnectReason.USER_REQUEST, "it hung up", "alice", 1, 1, 1, 1, 1.0)
CALL = CallEstablished(7, 1, 1, 100_000_000, 64)
UP = IpOpened("10.77.0.1", "10.77.0.10", (), ())


class Life:
    """What one gateway after another leaves in a state directory."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.path = folder / "events.jsonl"
        self.options = LogOptions(**options)
        self.store = Store.open(folder / "state")
        self.records = SessionRecords(self.store)

    def before(self, *facts: tuple[Any, str]) -> None:
        """Let a gateway write these events of sessions."""
        log = EventLog(self.path, options=self.options)
        for event, session in facts:
            log.emit(event, {"session": session, "user": "alice", "local_call_id": 7})
        log.close()

    async def start(self) -> None:
        """Let the next one begin."""
        log = EventLog(self.path, options=self.options)
        try:
            await report_leftovers(self.store, log, log.emit)
        finally:
            log.close()

    def ends(self) -> Counter[str]:
        return Counter(one["session"] for one in records(self.path) if one["event"] == "TEARDOWN")

    def last_end(self) -> dict[str, Any]:
        return [one for one in records(self.path) if one["event"] == "TEARDOWN"][-1]


@pytest.fixture
def life(tmp_path):
    made = Life(tmp_path)
    yield made
    made.store.close()


async def test_one_of_the_database(life):
    life.records.add(SessionRecord("s1", "alice", 9, "10.77.0.10", 1.0))
    await life.start()
    end = life.last_end()
    assert (end["user"], end["local_call_id"], end["address"]) == ("alice", 9, "10.77.0.10")
    assert end["reason"] == "internal_error"
    assert "found it in the database" in end["evidence"]
    await life.start()
    assert life.ends() == {"s1": 1}
    assert life.records.leftovers() == []


async def test_one_that_had_its_end_just_before_the_kill(life):
    life.records.add(SessionRecord("s1", "alice", 9, "10.77.0.10", 1.0))
    life.before((UP, "s1"), (SPOKEN, "s1"))
    await life.start()
    assert life.ends() == {"s1": 1}
    assert life.last_end()["reason"] == "user_request"
    assert life.records.leftovers() == []


@pytest.mark.parametrize("event", [SessionStarted(), CALL, UP], ids=lambda one: one.name)
async def test_one_that_the_database_never_knew(life, event):
    life.before((event, "s1"))
    await life.start()
    end = life.last_end()
    assert (end["session"], end["user"], end["local_call_id"]) == ("s1", "alice", 7)
    assert "found it in the log" in end["evidence"]
    await life.start()
    assert life.ends() == {"s1": 1}


async def test_without_a_kill_nothing_is_told(life):
    life.before((SessionStarted(), "s1"), (UP, "s1"), (SPOKEN, "s1"))
    await life.start()
    assert life.ends() == {"s1": 1}


async def test_a_pseudonym_is_not_taken_for_a_name(tmp_path):
    class Disguise:
        def apply(self, record: dict[str, Any]) -> dict[str, Any]:
            return {**record, "user": f"pseudonym of {record['user']}"} if record.get("user") else record

    life = Life(tmp_path, disguise=Disguise())
    life.before((UP, "s1"))
    await life.start()
    assert not life.last_end().get("user")
    life.store.close()


async def test_a_log_that_cannot_be_written_holds_nobody_up(life, monkeypatch):
    monkeypatch.setattr("holdfast.gateway.leftovers.PATIENCE", 0.05)

    class Stuck:
        def request(self, _action):
            return asyncio.get_running_loop().create_future()

    monkeypatch.setattr("asyncio.wrap_future", lambda future: future)
    async with asyncio.timeout(60):
        await settled(Stuck())
