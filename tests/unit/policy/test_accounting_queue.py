"""The queue on disk: order, bounds, kills."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from holdfast.errors import StateError
from holdfast.policy.accounting_changes import Changes, Flight, Waiting
from holdfast.policy.accounting_queue import AccountingQueue, Leftover
from holdfast.radius.attributes import attribute, read_attributes, write_attributes
from holdfast.radius.codes import AcctStatus
from holdfast.radius.exchange_types import Sent

FLIGHT = Flight(5.0, Sent("192.0.2.1:1813", 40000, b"octets"))


def record(number: int) -> list:
    return [attribute("NAS-Port", number), attribute("MS-Primary-DNS-Server", b"\x01\x02\x03\x04")]


def add(queue: AccountingQueue, *numbers: int, update_only: bool = False) -> list[int]:
    changes = Changes()
    for number in numbers:
        changes.add(Waiting(number, float(number), write_attributes(record(number)), update_only=update_only))
    return queue.write(changes).given_up


def remove(queue: AccountingQueue, *numbers: int) -> None:
    changes = Changes()
    for number in numbers:
        changes.remove(number)
    queue.write(changes)


def waiting(queue: AccountingQueue) -> list[int]:
    found = queue.read(0, 10**6)
    assert [int.from_bytes(read_attributes(one.octets)[0].data) for one in found] == [one.number for one in found]
    assert len(queue) == len(found)
    return [one.number for one in found]


def test_first_in_first_out_and_still_there_after_closing(tmp_path):
    path = tmp_path / "accounting.db"
    queue = AccountingQueue(path, 10)
    assert queue.is_new
    add(queue, 1, 2, 3, 4, 5)
    remove(queue, 1)
    queue.close()
    assert path.stat().st_mode & 0o777 == 0o600
    again = AccountingQueue(path, 10)
    assert not again.is_new
    assert waiting(again) == [2, 3, 4, 5]
    assert again.read(0, 1)[0].at == 2
    assert again.read(0, 1)[0].octets == write_attributes(record(2))
    remove(again, 2, 3, 4, 5)
    assert again.last == 5
    again.close()
    late = AccountingQueue(path, 10)
    assert (len(late), late.last) == (0, 5), "no number is given twice"
    late.close()


def test_what_was_asked_for_comes_with_what_was_written(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 10)
    add(queue, 1, 2, 3)
    changes = Changes()
    changes.remove(1)
    changes.add(Waiting(4, 4.0, write_attributes(record(4)), update_only=True))
    written = queue.write(changes, after=2, most=2)
    assert [one.number for one in written.records] == [3, 4]
    assert [one.update_only for one in written.records] == [False, True]
    assert (written.waiting, written.given_up) == (3, [])
    queue.close()


def test_whose_record_it_is(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 10)
    changes = Changes()
    for number, status in enumerate((AcctStatus.START, AcctStatus.ACCOUNTING_ON, AcctStatus.ACCOUNTING_OFF), start=1):
        said = [attribute("Acct-Status-Type", status), attribute("Acct-Session-Id", "s7")]
        changes.add(Waiting(number, 0.0, write_attributes(said)))
    assert [one.session for one in queue.write(changes, most=9).records] == ["s7", "", ""]
    queue.close()


def test_a_full_queue_gives_up_updates_first(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)
    add(queue, 1)
    add(queue, 2, update_only=True)
    assert add(queue, 3, 4) == [2]
    assert add(queue, 5) == [5]
    assert waiting(queue) == [1, 3, 4]
    queue.close()


def test_how_records_went_out_is_known_after_a_restart(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)
    add(queue, 1, 2)
    changes = Changes()
    for number in (1, 2, 3):
        changes.launch(number, FLIGHT)
    queue.write(changes)
    remove(queue, 1)
    queue.close()
    again = AccountingQueue(tmp_path / "a.db", 3)
    assert again.flights() == {2: FLIGHT}, "3 waits no longer"
    again.close()


def test_how_the_record_of_an_older_version_went_out_is_taken_over(tmp_path):
    path = tmp_path / "a.db"
    queue = AccountingQueue(path, 3)
    add(queue, 1)
    queue.close()
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE flight (only INTEGER PRIMARY KEY, number, at, server, port, octets)")
        old.execute("INSERT INTO flight VALUES (1, 1, 5.0, '192.0.2.1:1813', 40000, ?)", (b"octets",))
    old.close()
    for _ in range(2):
        queue = AccountingQueue(path, 3)
        assert queue.flights() == {1: FLIGHT}
        queue.close()


def test_open_sessions(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)
    changes = Changes()
    changes.open("s1", 5.0, b"one", b"")
    changes.open("s2", 6.0, b"two", b"")
    queue.write(changes)
    changes = Changes()
    changes.count("s1", 7.0, b"counts")
    changes.count("s3", 7.0, b"counts")
    changes.close("s2")
    queue.write(changes)
    assert queue.leftovers() == [Leftover("s1", 7.0, b"one", b"counts")]
    queue.close()


def test_together_or_not_at_all(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)
    add(queue, 1)
    changes = Changes()
    changes.add(Waiting(2, 0.0, b""))
    changes.remove(1)
    changes.launched[9] = None  # a fault of ours
    with pytest.raises(AttributeError):
        queue.write(changes)
    assert waiting(queue) == [1]
    assert queue.last == 1
    queue.close()


KILLED = """
import pathlib, sys
from holdfast.policy.accounting_changes import Changes, Waiting
from holdfast.policy.accounting_queue import AccountingQueue
from holdfast.radius.attributes import attribute, write_attributes
queue = AccountingQueue(pathlib.Path(sys.argv[1]), 10**6)
for number in range(1, 10**6):
    changes = Changes()
    changes.add(Waiting(number, 0.0, write_attributes([attribute("NAS-Port", number)])))
    queue.write(changes)
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_added(tmp_path):
    path = tmp_path / "a.db"
    writer = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    last = [int(writer.stdout.readline()) for _ in range(200)][-1]
    os.kill(writer.pid, signal.SIGKILL)
    told = writer.stdout.read().splitlines(keepends=True)
    last = max([last, *(int(line) for line in told if line.endswith("\n"))])
    writer.wait()
    writer.stdout.close()
    queue = AccountingQueue(path, 10**6)
    found = waiting(queue)
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= last
    queue.close()


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "a.db").write_bytes(b"no database" * 100)
    with pytest.raises(StateError, match="accounting queue"):
        AccountingQueue(tmp_path / "a.db", 3)
    with pytest.raises(StateError):
        AccountingQueue(tmp_path / "nowhere" / "a.db", 3)


def test_a_full_disk_costs_what_found_no_room_and_nothing_else(tmp_path):
    """No count goes astray, and when there is room again the queue works on."""
    queue = AccountingQueue(tmp_path / "accounting.db", 100)
    add(queue, 1)
    pages = queue._database.execute("PRAGMA page_count").fetchone()[0]
    queue._database.execute(f"PRAGMA max_page_count = {pages}")
    octets = write_attributes([*record(0), *[attribute("Class", bytes(250))] * 12])
    changes = Changes()
    for number in range(2, 90):
        changes.add(Waiting(number, 2.0, octets))
    for _ in range(3):
        with pytest.raises(StateError, match="full"):
            queue.write(changes)
    assert len(queue) == 1
    queue._database.execute("PRAGMA max_page_count = 100000")
    assert queue.write(changes).waiting == 89
    assert len(queue.read(0, 1000)) == 89
    queue.close()
