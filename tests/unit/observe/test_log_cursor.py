"""Reading a log on from a line while it grows, is rotated, packed and damaged."""

import os
from pathlib import Path

import pytest

from holdfast.events import PeerIdentified
from holdfast.observe.chain import seq_of
from holdfast.observe.event_log import EventLog
from holdfast.observe.log_cursor import NEAR, LogCursor, last_seq
from holdfast.observe.packing import pack
from holdfast.observe.segments import segments
from support.patience import until


@pytest.fixture
def log(tmp_path: Path):
    log = EventLog(tmp_path / "events.jsonl")
    yield log
    log.close()


def write(log: EventLog, count: int, text: str = "x") -> int:
    """Write so many lines; return the number of the last."""
    for _ in range(count):
        log.emit(PeerIdentified(text), {})
    return log.request(lambda file: (file.flush(), file.seq)[1]).result(10)


def rotate(log: EventLog) -> Path:
    return log.request(lambda file: file.rotate()).result(10)


def rest(cursor: LogCursor, most: int = 7) -> list[int]:
    numbers: list[int] = []
    while lines := cursor.read(most):
        assert len(lines) <= most
        numbers += map(seq_of, lines)
    return numbers


def test_it_goes_on_behind_a_line_and_then_with_what_comes(log: EventLog) -> None:
    last = write(log, 30)
    cursor = LogCursor(log.place.path, None, 12)
    assert rest(cursor) == list(range(13, last + 1))
    newest = write(log, 3)
    assert rest(cursor) == list(range(last + 1, newest + 1))
    assert rest(cursor) == []
    cursor.close()


@pytest.mark.parametrize("begin", [0, 5, 25, 33])
def test_through_rotation_and_packing(log: EventLog, begin: int) -> None:
    write(log, 10)
    pack(rotate(log), None)
    write(log, 10)
    rotate(log)
    last = write(log, 10)
    cursor = LogCursor(log.place.path, None, begin)
    assert rest(cursor) == list(range(begin + 1, last + 1))
    write(log, 2)
    rotate(log)
    newest = write(log, 2)
    assert rest(cursor) == list(range(max(begin, last) + 1, newest + 1))
    cursor.close()


def test_a_place_in_a_large_file_is_found(log: EventLog) -> None:
    last = write(log, 3000, "a long line " * 20)
    assert log.place.path.stat().st_size > 4 * NEAR
    for begin in (0, 1, 1500, 2990, last):
        cursor = LogCursor(log.place.path, None, begin)
        assert rest(cursor, 1000) == list(range(begin + 1, last + 1))
        cursor.close()


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    line = b'{"ts":"2026-01-01T00:00:00.000Z","seq":%d,"chain":"' + b"0" * 64 + b'"}\n'
    path.write_bytes(line % 1 + (line % 2)[:40])
    cursor = LogCursor(path, None, 0)
    assert rest(cursor) == [1]
    with path.open("ab") as file:
        file.write((line % 2)[40:])
    assert rest(cursor) == [2]
    cursor.close()


def test_a_segment_that_is_gone_or_damaged_is_passed_over(log: EventLog) -> None:
    write(log, 10)
    rotate(log)
    second = write(log, 10)
    rotate(log)
    last = write(log, 3)
    first = segments(log.place.path)[0]
    pack(first.path, None)
    packed = segments(log.place.path)[0].path
    packed.write_bytes(packed.read_bytes()[:40])
    cursor = LogCursor(log.place.path, None, 0)
    numbers = rest(cursor)
    assert numbers[-1] == last
    assert {second, last} <= set(numbers)
    cursor.close()
    packed.unlink()
    cursor = LogCursor(log.place.path, None, 0)
    assert rest(cursor)[0] == segments(log.place.path)[0].first
    cursor.close()


def test_a_log_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    cursor = LogCursor(tmp_path / "events.jsonl", None, 0)
    assert cursor.read(5) == []
    cursor.close()


def test_a_file_that_lost_its_lines_is_read_from_its_new_beginning(log: EventLog) -> None:
    write(log, 20)
    cursor = LogCursor(log.place.path, None, 0)
    assert rest(cursor)[-1] == 21
    before = log.request(lambda file: file.size).result(60)
    os.truncate(log.place.path, 0)
    until(lambda: log.request(lambda file: file.size).result(60) < before, 60, lambda: "the file was not begun anew")
    last = write(log, 3)
    assert rest(cursor)[-1] == last
    cursor.close()


def test_the_number_of_the_last_line(log: EventLog) -> None:
    path = log.place.path
    assert last_seq(path.with_name("none.jsonl"), None) == 0
    last = write(log, 5)
    assert last_seq(path, None) == last
    with path.open("ab") as file:
        file.write(b'{"ts":')
    assert last_seq(path, None) == last
    log.request(lambda file: file.rotate()).result(60)
    path.unlink()
    assert last_seq(path, None) == last + 1
