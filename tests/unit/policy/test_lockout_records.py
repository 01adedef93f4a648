"""Failed logins in the state database."""

from pathlib import Path

from holdfast.policy.lockout_changes import Kept
from holdfast.policy.lockout_records import LockoutRecords
from holdfast.policy.store import Store

OLD = Kept("pair", b"k" * 16, 3, 100.5, 0.0)
NEW = Kept("source", b"k" * 16, 7, 200.5, 800.5)


def test_what_was_written_is_there_for_the_next(state: Path) -> None:
    with Store.open(state) as store:
        LockoutRecords(store).write([NEW, OLD])
        LockoutRecords(store).write([])
    with Store.open(state) as store:
        assert LockoutRecords(store).load() == [OLD, NEW]


def test_an_entry_is_replaced_and_struck_out(store: Store) -> None:
    records = LockoutRecords(store)
    records.write([OLD, NEW])
    more = Kept("pair", b"k" * 16, 4, 300.0, 900.0)
    records.write([more, Kept("source", b"k" * 16, gone=True), Kept("known", b"n" * 16, gone=True)])
    assert records.load() == [more]
