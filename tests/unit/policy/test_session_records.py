"""What a crash leaves behind."""

from holdfast.policy.session_records import SessionRecord, SessionRecords
from holdfast.policy.store import Store

FIRST = SessionRecord("s1", "alice", 7, "10.77.0.10", 100.5)
SECOND = SessionRecord("s2", "bob", 8, None, 200.0)


def test_what_ended_is_not_left(store: Store) -> None:
    records = SessionRecords(store)
    records.add(FIRST)
    records.add(SECOND)
    records.remove("s1")
    records.remove("s1")
    assert records.leftovers() == [SECOND]


def test_a_successor_finds_what_was_open_once(store: Store) -> None:
    before = SessionRecords(store)
    before.add(SECOND)
    before.add(FIRST)
    after = SessionRecords(store)
    assert after.leftovers() == [FIRST, SECOND]
    after.forget([FIRST])
    assert after.leftovers() == [SECOND]
    after.forget([SECOND])
    after.forget([])
    assert after.leftovers() == []
