"""The file itself: rotation, a full disk, a directory that vanishes, a writer that was killed."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.observe.log_file import LogFile, Place
from holdfast.observe.packing import pack
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


def fails(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_is_full_for_long_does_not_collect_signatures(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = world.open()
    file.add(world.texts(3))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fails)
        for _ in range(50):
            with pytest.raises(OSError, match="No space"):
                file.sign()
    assert file.waiting == 4
    file.close()
    assert whole(world)
    assert [record["event"] for record in records(world.path)].count("LOG_SIGNED") == 1


def test_half_a_line_that_could_not_be_taken_back_at_once_is_taken_back_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems need room for that, too."""
    file, real = world.open(), os.write
    file.flush()
    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", fails)
        patch.setattr(os, "write", lambda descriptor, octets: real(descriptor, bytes(octets[:40])))
        file.add(world.texts(2))
        patch.setattr(os, "write", _half(real))
        with pytest.raises(OSError, match="No space"):
            file.flush()
    assert not world.path.read_bytes().endswith(b"\n")
    file.close()
    assert whole(world)
    assert [record["seq"] for record in records(world.path)] == [1, 2, 3, 4]


def _half(real):
    calls = []

    def write(descriptor: int, octets: bytes) -> int:
        calls.append(1)
        return real(descriptor, bytes(octets[:40])) if len(calls) == 1 else fails()

    return write


def test_a_segment_never_takes_the_place_of_another(world: World) -> None:
    """Somebody put an old file back from a backup: its first line is that of a segment that is closed by now."""
    file = world.open()
    file.add(world.texts(3))
    file.flush()
    old = world.path.read_bytes()
    file.add(world.texts(3))
    closed = file.rotate()
    file.close()
    kept = closed.read_bytes()
    world.path.write_bytes(old)
    file = world.open()
    file.rotate()
    file.close()
    assert closed.read_bytes() == kept
    assert len(list(world.path.parent.glob("events-*.jsonl"))) == 2


def test_numbers_go_on_behind_a_segment_that_is_damaged(world: World) -> None:
    """Without the signed head nothing else tells where the log was: number 1 would come, and its name, once more."""
    file = world.open()
    file.add(world.texts(200))
    closed = file.rotate()
    file.close()
    packed = pack(closed, None)
    world.path.unlink()
    (world.state / "events.head").unlink()
    packed.write_bytes(packed.read_bytes()[:-300])
    kept = packed.read_bytes()
    file = world.open()
    assert file.seq > 1
    later = file.rotate()
    file.close()
    pack(later, None)
    assert packed.read_bytes() == kept
    assert len(list(world.path.parent.glob("events-*.jsonl.gz"))) == 2


def test_a_directory_that_takes_no_file_after_a_rotation_is_no_loss(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real = world.open(), os.open
    file.add(world.texts(3))

    def full(path, flags, *rest):
        return fails() if Path(path) == world.path else real(path, flags, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(OSError, match="No space"):
            file.rotate()
    file.add(world.texts(2))
    file.close()
    assert whole(world)
    opened = [record for record in records(world.path) if record["event"] == "LOG_OPENED"]
    assert [(one["previous"], one["detail"]) for one in opened] == [("", ""), ("events-000000000001.jsonl", "")]


@pytest.mark.parametrize("left", [0, 250])
def test_a_file_that_was_cut_short_under_its_writer_is_noticed(world: World, left: int) -> None:
    """As a log rotation with `copytruncate` does it."""
    file = world.open()
    file.add(world.texts(6))
    file.flush()
    os.truncate(world.path, left)
    assert file.vanished()
    file.add(world.texts(2))
    file.close()
    assert not whole(world)
    assert any("gone" in one.get("detail", "") for one in map(json.loads, world.path.read_bytes().splitlines()[1:]))


def test_a_file_with_damage_at_its_end_stays_the_log(world: World) -> None:
    """What a power cut leaves: octets without a meaning where lines were."""
    file = world.open()
    file.add(world.texts(5))
    file.close()
    lines = world.path.read_bytes().splitlines(keepends=True)
    world.path.write_bytes(b"".join([*lines[:5], bytes(len(lines[5]) - 1) + b"\n", *lines[6:-1], bytes(60) + b"\n"]))
    file = world.open()
    file.add(world.texts(1))
    file.close()
    assert not list(world.path.parent.glob("events-unchained*"))
    assert not whole(world)
    problems = check(world.path).problems
    assert (problems[0].kind, problems[0].seq) == ("changed", 6)


@pytest.mark.parametrize("stamps", [("2026-10-25T02:59:59.900+02:00", "2026-10-25T02:00:00.000+01:00")])
def test_an_hour_that_comes_twice_is_one_day(world: World, stamps: tuple[str, str]) -> None:
    file = world.open()
    for world.stamp in stamps:
        file.add(world.texts(3))
        file.flush()
    before = len(list(world.path.parent.glob("events-*.jsonl")))
    file.add(world.texts(1))
    file.flush()
    assert len(list(world.path.parent.glob("events-*.jsonl"))) == before, "no file for each line"
    file.close()
    assert whole(world)


def test_a_clock_that_jumps_over_midnight_and_back_costs_a_file_each_time(world: World) -> None:
    file = world.open()
    for world.stamp in (
        "2026-03-01T23:59:59.999+01:00",
        "2026-03-02T00:59:59.999+01:00",
        "2026-03-01T23:59:59.999+01:00",
        "2026-03-02T00:00:00.000+01:00",
    ):
        for _ in range(20):
            file.add(world.texts(2))
            file.flush()
    file.close()
    assert len(list(world.path.parent.glob("events-*.jsonl"))) == 3
    assert whole(world)
    assert [record["seq"] for record in records(world.path)] == list(range(1, file.seq + 1))
