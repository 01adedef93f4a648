"""Receivers in this process."""

import errno
import os
import threading
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


def test_a_full_disk_leaves_no_half_a_line_in_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, real, calls = Copy("x", tmp_path / "copy.jsonl"), os.write, []
    sink.send(LINES[:1])

    def scarce(descriptor: int, octets: bytes) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, bytes(octets[:30]))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", scarce)
        with pytest.raises(OSError, match="No space"):
            sink.send(LINES)
    sink.send(LINES)
    assert (tmp_path / "copy.jsonl").read_bytes() == b"".join([LINES[0], *LINES])


def test_a_pipe_that_never_waits_gets_each_octet_once() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    lines = [b"x" * 999 + b"\n"] * 300
    got = bytearray()

    def read() -> None:
        while len(got) < 300_000:
            got.extend(os.read(reading, 5000))

    thread = threading.Thread(target=read)
    thread.start()
    Descriptor("x", writing).send(lines)
    thread.join(60)
    os.close(reading)
    os.close(writing)
    assert bytes(got) == b"".join(lines)
