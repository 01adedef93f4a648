"""Packing, purging, forgetting while the log goes on."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.events import (
    AccountBesieged,
    AdminActed,
    AuthenticationFailed,
    Connected,
    LimitReached,
    LoginsLocked,
    PeerIdentified,
    SessionStarted,
)
from holdfast.observe.event_log import EventLog, LogOptions
from holdfast.observe.keeper import Keeper, Keeping
from holdfast.observe.pseudonyms import Keyring, Pseudonymiser
from holdfast.observe.retention import Retention
from holdfast.observe.segments import lines_of, segments
from holdfast.secret import Secret
from support.logs import check, records

ALICE = {"session": "a" * 21, "connection": "c" * 21, "client_ip": "203.0.113.7", "user": "alice"}
BOB = {"session": "b" * 21, "connection": "d" * 21, "client_ip": "203.0.113.8", "user": "bob"}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    log = EventLog(tmp_path / "events.jsonl")
    yield log
    log.close()
    assert check(log.place.path, log.place.key).whole


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def rotate(log: EventLog) -> None:
    log.request(lambda file: file.rotate()).result(10)


def names(log: EventLog) -> list[str]:
    return [segment.path.name for segment in segments(log.place.path)]


def test_closed_segments_are_packed_in_the_background(log: EventLog) -> None:
    log.emit(SessionStarted(), ALICE)
    rotate(log)
    keeper = Keeper(log, Keeping())
    keeper.start()
    until(lambda: names(log)[0].endswith(".gz"))
    log.emit(SessionStarted(), BOB)
    rotate(log)
    until(lambda: [name.endswith(".gz") for name in names(log)] == [True, True, False])
    keeper.stop()


def test_without_compression_they_stay(log: EventLog) -> None:
    rotate(log)
    assert Keeper(log, Keeping(compress=False)).tidy() == 0
    assert names(log)[0].endswith(".jsonl")


def test_with_a_key_they_are_encrypted(tmp_path: Path) -> None:
    key = Secret(bytes(32))
    log = EventLog(tmp_path / "events.jsonl", options=LogOptions(key=key))
    log.emit(SessionStarted(), ALICE)
    rotate(log)
    assert Keeper(log, Keeping(key=key)).tidy() == 1
    assert names(log)[0].endswith(".sealed")
    assert b"alice" not in segments(log.place.path)[0].path.read_bytes()
    log.close()
    assert check(log.place.path, key).whole


def test_old_lines_are_purged_and_young_ones_kept(log: EventLog) -> None:
    log.emit(SessionStarted(), ALICE)
    rotate(log)
    assert Keeper(log, Keeping(Retention(sessions=1))).purge() == 0
    path = segments(log.place.path)[0].path
    assert "SESSION_START" in path.read_text()


def test_a_packer_that_fails_is_told(log: EventLog) -> None:
    rotate(log)
    segments(log.place.path)[0].path.chmod(0)
    keeper = Keeper(log, Keeping())
    keeper.tidy = _fails  # type: ignore[method-assign]
    keeper.start()
    until(lambda: "LOG_FAILED" in log.place.path.read_text())
    keeper.stop()
    segments(log.place.path)[0].path.chmod(0o600)


def _fails() -> int:
    raise OSError(5, "Input/output error", "events")


def test_forgetting_takes_out_every_trace(log: EventLog) -> None:
    before = {key: value for key, value in ALICE.items() if key != "user" and key != "session"}
    log.emit(Connected("203.0.113.7:50000", "192.0.2.1:1723"), before)
    log.emit(SessionStarted(), {**before, "session": ALICE["session"]})
    log.emit(PeerIdentified("MSRASV5.20"), ALICE)
    log.emit(PeerIdentified("MSRASV5.20"), BOB)
    forgotten = Keeper(log, Keeping()).forget("alice")
    assert forgotten.lines == 3
    text = str(records(log.place.path))
    assert "alice" not in text
    assert "203.0.113.7" not in text
    assert "bob" in text
    assert "LOG_FORGOTTEN" in text


def test_a_name_inside_another_is_another(log: EventLog) -> None:
    log.emit(AuthenticationFailed("pap", "alice2", 0, "no"), {})
    assert Keeper(log, Keeping()).forget("alice") == (0, 0)


def test_forgetting_a_pseudonym_destroys_its_key(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    log = EventLog(tmp_path / "events.jsonl", options=LogOptions(disguise=Pseudonymiser(keyring)))
    log.emit(PeerIdentified("MSRASV5.20"), ALICE)
    log.emit(PeerIdentified("MSRASV5.20"), BOB)
    pseudonym = log.request(lambda _: keyring.find("user", "alice")).result(10)
    assert pseudonym
    forgotten = Keeper(log, Keeping(), keyring).forget("alice")
    assert forgotten == (0, 2)
    assert keyring.who(pseudonym) is None
    log.close()
    text = log.place.path.read_text() + str(records(log.place.path))
    assert pseudonym in text
    assert "alice" not in text
    assert "203.0.113" not in text
    assert check(log.place.path).whole
    keyring.close()


def test_forgetting_finds_each_way_in_which_a_line_names_somebody(log: EventLog) -> None:
    named = [
        LoginsLocked("alice", "203.0.113.7", 5, 60.0),
        AccountBesieged("alice", 9, 20, 900.0),
        LimitReached("sessions per user", "alice", "one more"),
        AdminActed("trace", "user alice, address 203.0.113.7", "uid 0"),
        AdminActed("trace off", "user alice", "uid 0"),
    ]
    others = [
        LoginsLocked("alice2", "203.0.113.8", 5, 60.0),
        LimitReached("sessions per user", "malice", "one more"),
        AdminActed("trace", "user alice2", "uid 0"),
    ]
    for event in (*named, *others):
        log.emit(event, {})
    assert Keeper(log, Keeping()).forget("alice") == (len(named), 0)
    text = str(records(log.place.path))
    assert "203.0.113.7" not in text
    assert text.count("alice2") == 2
    assert "malice" in text
    assert check(log.place.path).whole


def test_forgetting_does_what_it_can_when_a_file_is_damaged(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    log = EventLog(tmp_path / "events.jsonl", options=LogOptions(disguise=Pseudonymiser(keyring)))
    for _ in range(200):
        log.emit(PeerIdentified("MSRASV5.20"), ALICE)
    pseudonym = log.request(lambda _: keyring.find("user", "alice")).result(60)
    rotate(log)
    keeper = Keeper(log, Keeping(), keyring)
    keeper.tidy()
    packed = segments(log.place.path)[0].path
    packed.write_bytes(packed.read_bytes()[:-100])
    with pytest.raises(StateError, match="cannot be read"):
        keeper.forget("alice")
    assert keyring.who(pseudonym) is None
    log.close()
    keyring.close()
    assert [one["event"] for one in _readable(log)].count("LOG_FORGOTTEN") == 1


def _readable(log: EventLog) -> list[dict]:
    return [json.loads(raw) for one in segments(log.place.path)[1:] for raw in lines_of(one, None)]
