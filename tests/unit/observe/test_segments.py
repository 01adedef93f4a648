"""The files of a log."""

import gzip
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.observe.packing import pack
from holdfast.observe.segments import closed_path, last_link, lines, segments
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


def test_the_last_line(tmp_path: Path) -> None:
    path = write(tmp_path, 3)
    last = last_link(path, None)
    assert last is not None
    assert last.seq == 5
