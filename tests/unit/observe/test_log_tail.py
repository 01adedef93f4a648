"""Where a log goes on."""

from pathlib import Path

import pytest

from holdfast.observe.chain import GENESIS
from holdfast.observe.event_log import EventLog
from holdfast.observe.log_tail import take_up
from holdfast.observe.packing import pack
from holdfast.observe.segments import segments
from holdfast.observe.signing import SigningKey
from holdfast.secret import Secret
from support.logs import write


def test_a_log_that_is_not_there_begins(tmp_path: Path) -> None:
    tail = take_up(tmp_path / "events.jsonl", tmp_path, SigningKey.open(tmp_path).public, None)
    assert (tail.seq, tail.chain, tail.detail) == (0, GENESIS, "")


@pytest.mark.parametrize("with_head", [True, False])
def test_a_file_that_is_gone_leaves_its_closed_segments(tmp_path: Path, with_head: bool) -> None:
    path = write(tmp_path, 5)
    log = EventLog(path)
    log.request(lambda file: file.rotate()).result(10)
    log.close()
    pack(segments(path)[0].path, None)
    path.unlink()
    if not with_head:
        (tmp_path / "events.head").unlink()
    tail = take_up(path, tmp_path, SigningKey.open(tmp_path).public, None)
    assert tail.seq == (11 if with_head else 9)
    assert ("were signed and are gone" in tail.detail) is with_head


def test_a_segment_that_cannot_be_read_is_told_and_stops_nobody(tmp_path: Path) -> None:
    path = write(tmp_path, 5)
    path.rename(tmp_path / "events-000000000001.jsonl")
    pack(tmp_path / "events-000000000001.jsonl", Secret(bytes(32)))
    tail = take_up(path, tmp_path, SigningKey.open(tmp_path).public, None)
    assert tail.seq == 7
    assert "is encrypted" in tail.detail


def test_a_head_that_nobody_signed_counts_for_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, 5)
    head = tmp_path / "events.head"
    head.write_text(head.read_text().replace('"seq": 7', '"seq": 7000'))
    assert take_up(path, tmp_path, SigningKey.open(tmp_path).public, None).seq == 7


def test_files_moved_aside_do_not_meet(tmp_path: Path) -> None:
    path, public = tmp_path / "events.jsonl", SigningKey.open(tmp_path).public
    for number in range(3):
        path.write_text(f"foreign {number}\n")
        take_up(path, tmp_path, public, None)
    assert {one.read_text() for one in tmp_path.glob("events-unchained*")} == {f"foreign {n}\n" for n in range(3)}
