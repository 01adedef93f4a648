"""The queue on disk: order, bounds, kills."""

import os
import signal
import subprocess
import sys

import pytest

from holdfast.errors import StateError
from holdfast.policy.accounting_queue import AccountingQueue, Flight
from holdfast.radius.attributes import attribute
from holdfast.radius.exchange_types import Sent


def record(number: int) -> list:
    return [attribute("NAS-Port", number), attribute("MS-Primary-DNS-Server", b"\x01\x02\x03\x04")]


def drain(queue: AccountingQueue) -> list[int]:
    numbers = []
    while (one := queue.first()) is not None:
        numbers.append(int.from_bytes(one.attributes[0].data))
        queue.remove(one.number)
    return numbers


def test_first_in_first_out_and_still_there_after_closing(tmp_path):
    path = tmp_path / "accounting.db"
    queue = AccountingQueue(path, 10)
    for number in range(5):
        queue.add(record(number), at=number)
    queue.remove(queue.first().number)
    queue.close()
    assert path.stat().st_mode & 0o777 == 0o600
    again = AccountingQueue(path, 10)
    assert len(again) == 4
    assert again.first().at == 1
    assert list(again.first().attributes) == record(1)
    assert drain(again) == [1, 2, 3, 4]
    assert len(again) == 0
    again.close()


def test_a_full_queue_gives_up_updates_first(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)
    queue.add(record(0), 0)
    queue.add(record(1), 0, update_only=True)
    queue.add(record(2), 0)
    queue.add(record(3), 0)
    assert queue.dropped == 1
    queue.add(record(4), 0)
    assert queue.dropped == 2
    assert drain(queue) == [0, 2, 3]
    queue.close()


def test_how_a_record_went_out_is_known_after_a_restart(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)
    queue.add(record(0), 0)
    number = queue.first().number
    assert queue.flight(number) is None
    flight = Flight(5.0, Sent("192.0.2.1:1813", 40000, b"octets"))
    queue.launched(number, flight)
    queue.close()
    again = AccountingQueue(tmp_path / "a.db", 3)
    assert again.flight(number) == flight
    assert again.flight(number + 1) is None
    again.launched(number + 1, flight)
    assert again.flight(number) is None
    again.close()


def test_open_sessions(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)
    queue.opened("s1", record(1), [], 5.0)
    queue.opened("s2", record(2), [], 6.0)
    queue.counted("s1", record(9), 7.0)
    queue.counted("s3", record(9), 7.0)
    queue.closed("s2")
    (left,) = queue.leftovers()
    assert (left.session, left.at, list(left.identity), list(left.last)) == ("s1", 7.0, record(1), record(9))
    queue.close()


def test_together_or_not_at_all(tmp_path):
    queue = AccountingQueue(tmp_path / "a.db", 3)

    def fail() -> None:
        with queue.together():
            queue.add(record(1), 0)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert queue.first() is None
    assert len(queue) == 0
    queue.close()


KILLED = """
import sys
from holdfast.policy.accounting_queue import AccountingQueue
from holdfast.radius.attributes import attribute
queue = AccountingQueue(__import__("pathlib").Path(sys.argv[1]), 10**6)
for number in range(10**6):
    queue.add([attribute("NAS-Port", number)], number)
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_added(tmp_path):
    path = tmp_path / "a.db"
    writer = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    last = [int(writer.stdout.readline()) for _ in range(200)][-1]
    os.kill(writer.pid, signal.SIGKILL)
    last = max([last, *map(int, writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()
    queue = AccountingQueue(path, 10**6)
    found = drain(queue)
    assert found == list(range(len(found)))
    assert len(found) > last
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
    queue.add(record(1), at=1.0)
    pages = queue._database.execute("PRAGMA page_count").fetchone()[0]
    queue._database.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        with queue.together():
            for number in range(2, 90):
                queue.add([attribute("Class", bytes(250))] * 12 + record(number), at=2.0)

    for _ in range(3):
        with pytest.raises(StateError, match="full"):
            fill()
    assert len(queue) == 1
    queue._database.execute("PRAGMA max_page_count = 100000")
    fill()
    assert len(queue) == 89
    queue.close()
