"""Reading the log back."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.events import PeerIdentified, Severity
from holdfast.observe.event_log import EventLog
from holdfast.observe.packing import pack
from holdfast.observe.reader import Query, follow, last, moment, read
from holdfast.observe.segments import segments
from support.logs import edit, write
from support.patience import until


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 30 facts in three segments, the first of them packed."""
    path = write(tmp_path, 10)
    for _ in range(2):
        writer = EventLog(path)
        writer.request(lambda file: file.rotate()).result(60)
        for number in range(10):
            writer.emit(PeerIdentified(f"more {number}"), {"session": "abc1", "connection": "def2", "user": "bob"})
        writer.close()
    pack(segments(path)[0].path, None)
    return path


def texts(found) -> list[str]:
    return [record["text"] for _, record in found if "text" in record]


def test_everything_in_order(log: Path) -> None:
    assert texts(read(log, None, Query())) == [f"fact {n}" for n in range(10)] + [f"more {n}" for n in range(10)] * 2


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (Query(users=frozenset({"alice", "user-x"})), 10),
        (Query(session="abc"), 20),
        (Query(session="f2"), 20),
        (Query(session="bc"), 0),
        (Query(events=frozenset({"IDENTIFICATION"})), 30),
        (Query(events=frozenset({"TEARDOWN"})), 0),
        (Query(severity=Severity.ERROR), 0),
        (Query(since=datetime.now(UTC) + timedelta(hours=1)), 0),
        (Query(since=datetime.now(UTC) - timedelta(hours=1)), 30),
        (Query(until=datetime.now(UTC) - timedelta(hours=1)), 0),
    ],
)
def test_choices(log: Path, query: Query, count: int) -> None:
    assert len(texts(read(log, None, query))) == count


def test_the_newest(log: Path) -> None:
    only = Query(events=frozenset({"IDENTIFICATION"}))
    assert texts(last(log, None, only, 3)) == ["more 7", "more 8", "more 9"]
    assert texts(last(log, None, only, 12)) == ["more 8", "more 9"] + [f"more {n}" for n in range(10)]
    assert len(texts(last(log, None, only, 1000))) == 30


def test_lines_that_are_none_are_passed_over(log: Path) -> None:
    edit(log, lambda lines: [b"garbage\n", b"[]\n", *lines])
    assert len(texts(read(log, None, Query()))) == 30


def test_following_goes_through_a_rotation(tmp_path: Path) -> None:
    path = write(tmp_path, 3)
    begun, stop, seen = threading.Event(), threading.Event(), []

    def stopped() -> bool:
        begun.set()
        return stop.is_set()

    def take() -> None:
        for one in follow(path, None, Query(), stopped):
            seen.extend(texts([one]))

    thread = threading.Thread(target=take)
    thread.start()
    assert begun.wait(60)
    log = EventLog(path)
    for number in range(10):
        log.emit(PeerIdentified(f"live {number}"), {})
        if number == 5:
            log.request(lambda file: file.rotate()).result(60)
            time.sleep(0.6)
    log.close()
    until(lambda: len(seen) == 10, 5, lambda: str(seen))
    stop.set()
    thread.join(60)
    assert seen == [f"live {number}" for number in range(10)]


def test_times() -> None:
    assert moment("2026-03-01T10:00:00+01:00") == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert moment("2026-03-01").tzinfo is not None
    assert moment("soon") is None
