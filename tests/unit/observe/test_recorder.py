"""The flight recorder: bounded tapes, and captures of what failed."""

import os
from pathlib import Path

import pytest

from holdfast.errors import WANTED_ENDS, DisconnectReason
from holdfast.events import Direction
from holdfast.observe import recorder as module
from holdfast.observe.recorder import Ended, Recorder, RecorderOptions, Tape, no_recorder, packets_of
from holdfast.observe.recorder_packets import Ends

ENDS = Ends("192.0.2.9", "192.0.2.1", 5, 6)
FRAME = b"\xc0\x21\x09\x01\x00\x08abcd"


def ended(session: str = "s1", reason: DisconnectReason = DisconnectReason.ECHO_TIMEOUT) -> Ended:
    return Ended(session, "alice", ENDS, reason, "3 echoes unanswered")


class Scene:
    """A recorder with a clock of the test's own."""

    def __init__(self, directory: Path, **options: int) -> None:
        self.now = 1000.0
        self.failures: list[str] = []
        self.recorder = Recorder(
            RecorderOptions(directory / "captures", **options), self.failures.append, clock=lambda: self.now
        )
        self.directory = directory / "captures"

    def keep(self, *arguments, **named) -> str:
        control, session = self.recorder.control_tape(), self.recorder.session_tape()
        control.message(Direction.RECEIVED, b"hello")
        session.frames(Direction.SENT, [FRAME])
        return self.recorder.keep(ended(*arguments, **named), control, session)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.glob("*"))


def test_a_tape_holds_the_last_and_no_more_than_so_much():
    tape = Tape(2000)
    for number in range(100):
        tape.frames(Direction.RECEIVED, [FRAME + bytes((number,))])
    entries = tape.entries()
    assert entries[-1].kept.octets == FRAME + b"\x63"
    assert sum(len(entry.kept.octets) + module.ENTRY_COST for entry in entries) <= 2000
    assert tape.lost == 100 - len(entries) > 0


def test_one_huge_entry_is_cut():
    tape = Tape(1024)
    tape.message(Direction.RECEIVED, bytes(100_000))
    tape.frames(Direction.RECEIVED, [b"\xc0\x21" + bytes(100_000)])
    (entry,) = tape.entries()
    assert (len(entry.kept.octets), entry.kept.original) == (module.LONGEST_ENTRY, 100_002)


def test_a_tape_costs_nothing_until_something_happens_or_when_it_is_off():
    assert Tape(1024)._entries is None
    off = Tape(0)
    off.message(Direction.SENT, b"x")
    off.frames(Direction.SENT, [FRAME])
    assert off._entries is None
    assert off.entries() == []


def test_entries_are_in_the_order_of_time(tmp_path):
    scene = Scene(tmp_path)
    control, session = scene.recorder.control_tape(), scene.recorder.session_tape()
    for number in range(6):
        scene.now = number
        if number % 2:
            control.message(Direction.RECEIVED, b"hello")
        else:
            session.frames(Direction.SENT, [FRAME])
    seen: list[list[float]] = []
    scene.recorder._write = lambda path, comment, ends, entries: seen.append([entry.time for entry in entries])
    scene.recorder.keep(ended(), control, session)
    scene.recorder.close()
    assert seen == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("reason", DisconnectReason)
def test_only_what_nobody_wanted_is_kept(tmp_path, reason):
    scene = Scene(tmp_path)
    path = scene.keep(reason=reason)
    scene.recorder.close()
    assert bool(path) == Path(path).is_file() == (reason not in WANTED_ENDS)


def test_a_capture_says_what_it_is(tmp_path):
    scene = Scene(tmp_path)
    path = Path(scene.keep())
    scene.recorder.close()
    octets = path.read_bytes()
    assert b"session s1 of alice, client 192.0.2.9\nended: echo_timeout: 3 echoes unanswered\n" in octets
    assert b"Secrets are zeros" in octets
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not scene.failures


def test_the_oldest_go_first(tmp_path):
    scene = Scene(tmp_path, keep_files=3)
    for number in range(5):
        scene.keep(f"s{number}")
        scene.recorder._writer.submit(
            lambda number=number: _age(scene.directory / f"s{number}.pcapng", number)
        ).result()
    scene.keep("last")
    scene.recorder.close()
    assert scene.files() == ["last.pcapng", "s3.pcapng", "s4.pcapng"]


def _age(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def test_their_size_has_a_limit_too(tmp_path):
    scene = Scene(tmp_path, keep_octets=1)
    scene.keep("s1")
    scene.keep("s2")
    scene.recorder.close()
    assert scene.files() == []


def test_a_flood_of_failures_writes_no_more_than_so_many_in_a_minute(tmp_path):
    scene = Scene(tmp_path, per_minute=2)
    assert [bool(scene.keep(f"s{number}")) for number in range(4)] == [True, True, False, False]
    scene.now += 60
    assert scene.keep("later")
    scene.recorder.close()
    assert len(scene.files()) == 3


def test_what_cannot_be_written_is_told_and_the_next_one_is_tried(tmp_path):
    (tmp_path / "captures").write_text("in the way")
    scene = Scene(tmp_path)
    scene.keep("s1")
    scene.keep("s2")
    scene.recorder.close()
    assert len(scene.failures) == 2
    assert "captures" in scene.failures[0]


def test_a_disk_that_hangs_holds_up_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    scene = Scene(tmp_path)
    written: list[str] = []
    scene.recorder._write = lambda path, *rest: written.append(path.name)  # never gives its room back
    assert scene.keep("s1")
    assert not scene.keep("s2")
    scene.recorder.close()
    assert written == ["s1.pcapng"]


def test_nothing_recorded_is_nothing_written(tmp_path):
    recorder = no_recorder()
    control, session = recorder.control_tape(), recorder.session_tape()
    control.message(Direction.SENT, b"x")
    assert recorder.keep(ended(), control, session) == ""
    recorder.close()


def test_packets_carry_the_comments_of_what_was_taken_out():
    tape = Tape(4096)
    tape.message(Direction.RECEIVED, b"x")
    tape.frames(Direction.RECEIVED, [b"\x00\x21" + bytes(100)])
    first, second = packets_of(ENDS, tape.entries())
    assert (first.comment, first.original) == ("", 0)
    assert second.comment
    assert second.original - len(second.octets) == 100
