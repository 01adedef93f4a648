"""What waits for the database: each thing once, nothing that is over before it was written."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from holdfast.errors import StateError
from holdfast.policy.schema import leases
from holdfast.policy.session_records import SessionRecord, SessionRecords
from holdfast.policy.state_changes import Lease, StateChanges, write
from holdfast.policy.store import Store

ONE = SessionRecord("one", "alice", 7, "10.77.0.10", 1000.0)
GIVEN = Lease("10.77.0.10", "alice", "one", 1000.0)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "state") as opened:
        yield opened


def rows(store: Store) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(select(leases).order_by(leases.c.address))]


def test_what_is_written_is_what_came_last(store):
    changes = StateChanges()
    changes.lease(GIVEN)
    changes.lease(replace(GIVEN, session=None, since=1010.0))
    changes.lease(Lease("10.77.0.11", "bob", "two", 1020.0))
    changes.add(ONE)
    write(store, changes.take())
    changes.lease(Lease("10.77.0.11", "bob", None, 1030.0))
    write(store, changes.take())
    assert rows(store) == [("10.77.0.10", "alice", None, 1010.0), ("10.77.0.11", "bob", None, 1030.0)]
    assert SessionRecords(store).leftovers() == [ONE]
    assert not changes


def test_a_session_that_ended_is_struck_out(store):
    changes = StateChanges()
    changes.add(ONE)
    write(store, changes.take())
    changes.remove("one")
    write(store, changes.take())
    assert SessionRecords(store).leftovers() == []


def test_sessions_that_come_and_go_while_nothing_can_be_written_leave_nothing_to_write():
    changes = StateChanges()
    for number in range(1000):
        changes.add(replace(ONE, session=str(number)))
        changes.remove(str(number))
    assert len(changes) == 0


@pytest.mark.parametrize("gone", [False, True])
def test_what_could_not_be_written_waits_behind_what_is_newer(store, gone):
    changes = StateChanges()
    changes.add(ONE)
    changes.lease(GIVEN)
    batch = changes.take()
    changes.lease(replace(GIVEN, session="two", user="bob"))
    if gone:
        changes.remove("one")
    changes.give_back(batch)
    assert len(changes) == (1 if gone else 2)
    write(store, changes.take())
    assert rows(store)[0][:3] == ("10.77.0.10", "bob", "two")
    assert SessionRecords(store).leftovers() == ([] if gone else [ONE])


def test_a_database_that_refuses_says_so(store):
    store.path.unlink()
    store.path.mkdir()
    store._engine.dispose()
    changes = StateChanges()
    changes.add(ONE)
    with pytest.raises(StateError):
        write(store, changes.take())


def test_whoever_writes_is_woken():
    changes, woken = StateChanges(), []
    changes.wake = lambda: woken.append(1)
    changes.add(ONE)
    changes.lease(GIVEN)
    changes.remove("one")
    assert len(woken) == 3
