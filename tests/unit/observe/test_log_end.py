"""The newest lines of a log are found from its end, across a rotation, whatever is torn or unreadable."""

from pathlib import Path

import pytest

from holdfast.observe import log_cursor, log_end
from holdfast.observe.log_end import newest_records
from support.logs import write


def numbers(records) -> list[int]:
    return [record["seq"] for record in records]


def test_a_short_log_is_read_whole(tmp_path: Path) -> None:
    log = write(tmp_path, 20)
    found = newest_records(log, None)
    assert numbers(found) == list(range(1, len(found) + 1))
    assert [record["text"] for record in found if "text" in record][-1] == "fact 19"


def test_of_a_long_one_the_end_in_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write(tmp_path, 500)
    for module in (log_cursor, log_end):
        monkeypatch.setattr(module, "WINDOW", 4000)
    found = numbers(newest_records(log, None))
    assert 1 not in found
    assert found == list(range(found[0], found[-1] + 1))
    with log.open("ab") as file:
        file.write(b'{"ts":"2026-01-01T00:00:00+00:00","event":"TEAR')
    assert numbers(newest_records(log, None)) == [
        number for number in found if number in numbers(newest_records(log, None))
    ]


def test_what_was_closed_a_moment_ago_belongs_to_it(tmp_path: Path) -> None:
    log = write(tmp_path, 5000, segment_size=300_000)
    assert len(list(tmp_path.glob("events-*"))) >= 2
    found = numbers(newest_records(log, None))
    assert found == list(range(found[0], found[-1] + 1))
    assert found[0] > 1


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    assert newest_records(tmp_path / "events.jsonl", None) == []
    log = write(tmp_path, 10)
    (tmp_path / "events-000000000001.jsonl.gz").write_bytes(b"\x1f\x8b\x08 not gzip")
    assert numbers(newest_records(log, None))[-1] >= 10
    (tmp_path / "events-000000000001.jsonl.gz.sealed").write_bytes(b"no key for it")
    (tmp_path / "events-000000000001.jsonl.gz").unlink()
    assert numbers(newest_records(log, None))[-1] >= 10
