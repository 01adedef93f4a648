"""The database file: who may read it, what two processes do to it, what damage looks like."""

import multiprocessing
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from holdfast.errors import StateError
from holdfast.policy.schema import user_policies
from holdfast.policy.sealing import KEY_FILE
from holdfast.policy.store import DATABASE_FILE, Store
from holdfast.policy.users import Users
from holdfast.secret import Secret

PASSWORD = b"correct horse battery staple"


def test_nobody_else_may_read_what_lies_there(state: Path) -> None:
    with Store.open(state) as store:
        Users(store).add("alice", Secret(PASSWORD))
        modes = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir()}
    assert state.stat().st_mode & 0o777 == 0o700
    assert set(modes) == {DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", KEY_FILE}
    assert set(modes.values()) == {0o600}


def test_a_database_that_others_may_read_is_closed_to_them(state: Path) -> None:
    Store.open(state).close()
    (state / DATABASE_FILE).chmod(0o644)
    Store.open(state).close()
    assert (state / DATABASE_FILE).stat().st_mode & 0o777 == 0o600


def test_no_octet_on_the_disk_shows_a_password(state: Path) -> None:
    with Store.open(state) as store:
        users = Users(store)
        users.add("alice", Secret(PASSWORD))
        users.change_secret("alice", Secret(PASSWORD + b"2"))
        users.remove("alice")
        content = b"".join(path.read_bytes() for path in state.iterdir())
    content += b"".join(path.read_bytes() for path in state.iterdir())
    assert b"alice" in content
    assert PASSWORD not in content
    assert PASSWORD.decode().encode("utf-16-le") not in content


def test_odd_characters_in_the_path(tmp_path: Path) -> None:
    state = tmp_path / "a?b%20#c"
    with Store.open(state) as store:
        Users(store).add("alice", Secret(PASSWORD))
    assert (state / DATABASE_FILE).exists()


def test_another_opener_sees_changes_at_once(state: Path) -> None:
    with Store.open(state) as one, Store.open(state) as other:
        Users(one).add("alice", Secret(PASSWORD))
        found = Users(other).find("alice")
        assert found is not None
        assert found.secret.reveal() == PASSWORD
        Users(other).set_disabled("alice", True)
        assert Users(one).get("alice").disabled


def _add_many(state: Path, prefix: str) -> None:
    with Store.open(state) as store:
        users = Users(store)
        for number in range(40):
            users.add(f"{prefix}{number}", Secret(PASSWORD))


def test_processes_that_start_and_write_together(state: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_many, args=(state, prefix)) for prefix in ("a", "b", "c")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Store.open(state) as store:
        users = Users(store)
        assert users.count() == 120
        assert all(users.find(record.name) is not None for record in users.list())


def test_a_change_that_fails_leaves_nothing(store: Store) -> None:
    def begin_and_fail() -> None:
        with store.write() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('half', x'00')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        begin_and_fail()
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM meta WHERE key = 'half'").scalar() == 0


def test_a_lock_that_stays(state: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.policy.store.BUSY_TIMEOUT", 50)
    blocker = sqlite3.connect(state / DATABASE_FILE, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with Store.open(state) as other, pytest.raises(StateError, match="locked"):
            Users(other).add("alice", Secret(PASSWORD))
        assert Users(store).list() == []
    finally:
        blocker.close()


def test_a_full_disk_is_called_full(store: Store) -> None:
    """SQLite has taken everything back by itself by then: that there is nothing to take back is not what is wrong."""

    def fill() -> None:
        with store.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.exec_driver_sql("INSERT INTO meta VALUES ('big', zeroblob(10000000))")

    with pytest.raises(StateError, match="disk is full") as caught:
        fill()
    assert "Make room" in caught.value.fix
    with store.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        connection.exec_driver_sql("INSERT INTO meta VALUES ('big', x'00')")


def test_what_is_no_database(state: Path) -> None:
    Store.open(state).close()
    (state / DATABASE_FILE).write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StateError, match="damaged or not one of Holdfast's") as caught:
        Store.open(state)
    assert "Restore it from a backup, or move it away" in caught.value.fix
    assert caught.value.where == str(state / DATABASE_FILE)


def test_a_database_of_somebody_else(state: Path) -> None:
    state.mkdir(mode=0o700)
    connection = sqlite3.connect(state / DATABASE_FILE)
    connection.execute("CREATE TABLE meta (key TEXT, value BLOB)")
    connection.commit()
    connection.close()
    with pytest.raises(StateError, match="damaged or not one of Holdfast's"):
        Store.open(state)


def test_damage_in_the_middle_is_found(state: Path) -> None:
    with Store.open(state) as store:
        users = Users(store)
        for number in range(200):
            users.add(f"user{number}", Secret(PASSWORD))
    path = state / DATABASE_FILE
    content = bytearray(path.read_bytes())
    content[8192:-4096] = bytes(len(content) - 8192 - 4096)
    path.write_bytes(content)
    with pytest.raises(StateError, match="damaged"), Store.open(state) as store:
        store.check()


def test_a_whole_database_passes_the_check(store: Store) -> None:
    store.check()


def test_a_newer_database(state: Path) -> None:
    with Store.open(state) as store, store.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = x'3939' WHERE key = 'schema'")
    with pytest.raises(StateError, match="version 99, this Holdfast knows version 1"):
        Store.open(state)


def test_a_key_that_is_gone_is_not_made_anew(state: Path) -> None:
    Store.open(state).close()
    (state / KEY_FILE).unlink()
    with pytest.raises(StateError, match="the key of this database is gone"):
        Store.open(state)
    assert not (state / KEY_FILE).exists()


def test_the_key_of_another_database(state: Path) -> None:
    Store.open(state).close()
    (state / KEY_FILE).write_bytes(bytes(32))
    with pytest.raises(StateError, match="does not open with this key"):
        Store.open(state)


def test_a_new_database_beside_an_old_key(state: Path) -> None:
    Store.open(state).close()
    key = (state / KEY_FILE).read_bytes()
    (state / DATABASE_FILE).unlink()
    Store.open(state).close()
    assert (state / KEY_FILE).read_bytes() == key


def test_a_directory_in_place_of_the_database(state: Path) -> None:
    (state / DATABASE_FILE).mkdir(parents=True)
    state.chmod(0o700)
    with pytest.raises(StateError):
        Store.open(state)


def test_marks_are_set_once(store: Store) -> None:
    assert store.mark("once")
    assert not store.mark("once")
    assert store.mark("other")


@pytest.mark.root
def test_what_root_does_leaves_files_of_the_owner(state: Path) -> None:
    state.mkdir(mode=0o700)
    os.chown(state, 4321, 4322)
    with Store.open(state) as store:
        Users(store).add("alice", Secret(PASSWORD))
        owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in state.iterdir()}
    assert len(owners) == 4
    assert set(owners.values()) == {(4321, 4322)}


def test_a_database_from_before_a_table_gets_it(state: Path) -> None:
    with Store.open(state) as store, store.write() as connection:
        user_policies.drop(connection)
    with Store.open(state) as store, store.read() as connection:
        assert connection.execute(select(user_policies)).all() == []
