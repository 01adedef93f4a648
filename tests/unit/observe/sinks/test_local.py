"""Receivers in this process."""

import os
from pathlib import Path

import pytest

from holdfast.observe.sinks.local import Copy, Descriptor, Watcher
from unit.observe.sinks.receivers import LINES


def test_a_descriptor_gets_the_lines_as_they_are() -> None:
    reading, writing = os.pipe()
    Descriptor("x", writing).send(LINES)
    assert os.read(reading, 65536) == b"".join(LINES)
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        Descriptor("x", writing).send(LINES)
    os.close(writing)


def test_a_file_may_be_rotated_by_anybody(tmp_path: Path) -> None:
    path = tmp_path / "copy.jsonl"
    sink = Copy("x", path)
    sink.send(LINES[:1])
    path.rename(tmp_path / "copy.1")
    sink.send(LINES[1:])
    assert path.read_bytes() == LINES[1]
    assert path.stat().st_mode & 0o777 == 0o600
    sink.close()


def test_a_function_gets_the_records() -> None:
    seen: list[dict] = []
    Watcher("x", seen.append).send(LINES)
    assert [record["seq"] for record in seen] == [1, 2]
