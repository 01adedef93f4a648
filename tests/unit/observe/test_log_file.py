"""The file itself: rotation, a full disk, a directory that vanishes, a writer that was killed."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.observe.log_file import LogFile, Place
from support.logs import check, records


class World:
    """A log file with a clock to be set."""

    def __init__(self, directory: Path, size: int = 1_000_000) -> None:
        self.stamp = "2026-03-01T10:00:00.000+01:00"
        self.path = directory / "logs" / "events.jsonl"
        self.path.parent.mkdir(exist_ok=True)
        self.state = directory
        self.size = size

    def open(self) -> LogFile:
        return LogFile(Place(self.path, self.state, self.size, lambda: self.stamp))

    def texts(self, count: int) -> list[bytes]:
        return [b'{"ts":"%b","event":"X","severity":"info","n":%d}' % (self.stamp.encode(), n) for n in range(count)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def whole(world: World) -> bool:
    for name in ("log-signing.pub", "events.head"):
        shutil.copy(world.state / name, world.path.parent / name)
    head = (world.path.parent / "events.head").read_text()
    assert str(world.path) in head
    return check(world.path).whole


def test_a_full_segment_is_closed_signed_and_the_chain_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, size=2000)
    file = world.open()
    for _ in range(10):
        file.add(world.texts(5))
        file.flush()
    file.close()
    assert len(list(world.path.parent.glob("events-*.jsonl"))) >= 3
    assert whole(world)
    assert [record["seq"] for record in records(world.path)] == list(range(1, file.seq + 1))


def test_a_new_day_closes_the_segment(world: World) -> None:
    file = world.open()
    file.add(world.texts(3))
    file.flush()
    world.stamp = "2026-03-02T00:00:00.001+01:00"
    file.add(world.texts(1))
    file.flush()
    file.close()
    assert len(list(world.path.parent.glob("events-*.jsonl"))) == 1
    assert whole(world)


def test_a_file_of_yesterday_is_closed_at_the_start(world: World) -> None:
    file = world.open()
    file.add(world.texts(1))
    file.close()
    world.stamp = "2026-03-02T08:00:00.000+01:00"
    file = world.open()
    file.flush()
    file.close()
    assert len(list(world.path.parent.glob("events-*.jsonl"))) == 1
    assert whole(world)


def test_it_goes_on_after_a_restart(world: World) -> None:
    for _ in range(3):
        file = world.open()
        file.add(world.texts(2))
        file.close()
    assert whole(world)
    opened = [record for record in records(world.path) if record["event"] == "LOG_OPENED"]
    assert len(opened) == 3
    assert all(record["torn_octets"] == 0 for record in opened)


def test_half_a_line_is_cut_off_and_told(world: World) -> None:
    file = world.open()
    file.add(world.texts(2))
    file.close()
    with world.path.open("ab") as torn:
        torn.write(b'{"ts":"2026-03-01T10:0')
    file = world.open()
    file.add(world.texts(1))
    file.close()
    assert whole(world)
    assert [record["torn_octets"] for record in records(world.path) if record["event"] == "LOG_OPENED"] == [0, 22]
    assert any("22 octets were cut off" in note for note in check(world.path).notes)


def test_a_file_that_is_no_log_is_moved_aside(world: World) -> None:
    world.path.write_text("something else\n")
    file = world.open()
    file.close()
    assert world.path.with_name("events-unchained.jsonl").read_text() == "something else\n"
    assert whole(world)


def test_lines_that_were_signed_and_are_gone_leave_a_gap_for_ever(world: World) -> None:
    file = world.open()
    file.add(world.texts(10))
    file.close()
    octets = world.path.read_bytes().splitlines(keepends=True)
    world.path.write_bytes(b"".join(octets[:-4]))
    file = world.open()
    file.add(world.texts(1))
    file.close()
    assert not whole(world)
    assert check(world.path).problems[0].text == "lines 9 to 12 are missing before line 13"
    assert "lines 9 to 12 were signed and are gone" in records(world.path)[8]["detail"]


def test_a_disk_that_takes_half_leaves_no_torn_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.open()
    file.flush()
    real, room = os.write, [100]

    def scarce(descriptor: int, octets: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = min(room[0], len(octets))
        room[0] -= taken
        return real(descriptor, bytes(octets[:taken]))

    monkeypatch.setattr(os, "write", scarce)
    file.add(world.texts(3))
    for _ in range(3):
        with pytest.raises(OSError, match="No space"):
            file.flush()
    assert world.path.read_bytes().endswith(b"\n")
    assert file.waiting == 3
    room[0] = 1_000_000
    file.flush()
    file.close()
    assert whole(world)
    assert len(records(world.path)) == 5


def test_a_directory_that_vanishes_is_made_again(world: World) -> None:
    file = world.open()
    file.add(world.texts(2))
    file.flush()
    assert not file.vanished()
    shutil.rmtree(world.path.parent)
    assert file.vanished()
    file.add(world.texts(2))
    file.flush()
    file.close()
    assert not whole(world)
    (problem,) = check(world.path).problems
    assert problem.text == "lines 1 to 3 are missing, and no purge says so"
    assert any("gone" in record.get("detail", "") for record in records(world.path))


def test_two_writers_are_one_too_many(world: World) -> None:
    file = world.open()
    with pytest.raises(StateError, match="another process writes"):
        world.open()
    file.close()
    world.open().close()


def test_a_closed_segment_is_told(world: World) -> None:
    file, told = world.open(), []
    file.on_closed = lambda: told.append(1)
    file.add(world.texts(1))
    file.rotate()
    file.close()
    assert told == [1]
