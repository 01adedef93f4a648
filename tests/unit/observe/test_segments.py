"""The files of a log."""

import gzip
import os
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.observe import segments as module
from holdfast.observe.event_log import EventLog
from holdfast.observe.packing import pack
from holdfast.observe.segments import Segment, closed_path, lines, lines_of, segments
from holdfast.secret import Secret
from support.logs import write


def test_closed_files_come_in_order_and_the_open_one_last(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    for name in (
        "events.jsonl",
        "events-000000000900.jsonl",
        "events-000000000001.jsonl.gz",
        "events-000000000300.jsonl.gz.sealed",
        "events-300.jsonl",
        "events-000000000001.txt",
        "events-unchained.jsonl",
        ".events-000000000900.jsonl.gz.new",
        "other-000000000001.jsonl",
    ):
        (tmp_path / name).touch()
    found = segments(log)
    assert [segment.first for segment in found] == [1, 300, 900, 0]
    assert [segment.name for segment in found][:2] == ["events-000000000001.jsonl", "events-000000000300.jsonl"]
    assert [segment.is_open for segment in found] == [False, False, False, True]


def test_a_file_in_two_forms_counts_once(tmp_path: Path) -> None:
    """A packer was killed before it could remove the plain file."""
    for name in ("events-000000000001.jsonl", "events-000000000001.jsonl.gz"):
        (tmp_path / name).touch()
    (segment,) = segments(tmp_path / "events.jsonl")
    assert segment.path.name == "events-000000000001.jsonl"


def test_a_name_with_signs_that_mean_something_in_patterns(tmp_path: Path) -> None:
    log = tmp_path / "ev[1]*.jsonl"
    closed_path(log, 5).touch()
    assert [segment.first for segment in segments(log)] == [5]


def test_lines_come_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "events-000000000001.jsonl.gz"
    path.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert list(lines(path, None)) == [b"one\n", b"two\n"]


@pytest.mark.parametrize("key", [None, Secret(bytes(32))], ids=["packed", "sealed"])
def test_a_file_that_is_packed_after_it_was_listed_is_read_all_the_same(tmp_path: Path, key: Secret | None) -> None:
    path = tmp_path / "events-000000000001.jsonl"
    path.write_bytes(b"one\ntwo\n")
    (listed,) = segments(tmp_path / "events.jsonl")
    pack(path, key)
    assert not path.exists()
    assert list(lines(listed.path, key)) == [b"one\n", b"two\n"]
    with pytest.raises(StateError, match="No such file"):
        list(lines(tmp_path / "events-000000000003.jsonl", key))


@pytest.mark.parametrize(
    "octets", [b"not gzip", gzip.compress(b"one\ntwo\n" * 100, mtime=0)[:-20]], ids=["none", "cut"]
)
def test_a_damaged_file_is_said(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "events-000000000001.jsonl.gz"
    path.write_bytes(octets)
    with pytest.raises(StateError, match="cannot be read"):
        list(lines(path, None))


def test_an_encrypted_file_needs_a_key(tmp_path: Path) -> None:
    path = tmp_path / "events-000000000001.jsonl.gz.sealed"
    path.touch()
    with pytest.raises(StateError, match="is encrypted"):
        list(lines(path, None))


def rotated(path: Path, *, packed: bool = False) -> None:
    """Close the file being written, as a gateway does while somebody reads its log."""
    log = EventLog(path)
    closed = log.request(lambda file: file.rotate()).result(60)
    log.close()
    if packed:
        pack(closed, None)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_is_closed_after_it_was_listed_is_read_all_the_same(tmp_path: Path, packed: bool) -> None:
    path = write(tmp_path, 20)
    (listed,) = segments(path)
    rotated(path, packed=packed)
    found = list(lines_of(listed, None))
    assert found[0].startswith(b'{"ts":')
    assert b"fact 0" in found[1]
    assert b"fact 19" in b"".join(found)


def test_a_file_that_is_closed_while_the_list_is_made_stands_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real, times = write(tmp_path, 5), module._closed, iter(range(10))

    def slow(log: Path) -> list[Segment]:
        if not next(times):
            rotated(path)
        return real(log)

    monkeypatch.setattr(module, "_closed", slow)
    found = segments(path)
    assert [(one.first, one.began > 1) for one in found] == [(1, False), (0, True)]


def test_a_log_that_is_none_is_listed_and_never_waited_for(tmp_path: Path) -> None:
    """A named pipe that nobody writes to."""
    path = tmp_path / "events.jsonl"
    os.mkfifo(path)
    assert segments(path) == [Segment(path, 0)]
