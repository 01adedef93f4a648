"""The event log: order, shape, what a full disk does."""

import errno
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.events import (
    AuthenticationFailed,
    ControlMessageSeen,
    Direction,
    GatewayStarted,
    PeerIdentified,
    Severity,
)
from holdfast.observe import event_log
from holdfast.observe.event_log import EventLog, LogOptions
from support.logs import check, records


def lines(path: Path) -> list[dict]:
    """Return what was reported: the records without those about the log itself."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if not record["event"].startswith("LOG_")]


def test_one_fact_a_line_in_order_with_its_envelope(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.emit(GatewayStarted(("192.0.2.1:1723",), "1"), {})
    log.emit(AuthenticationFailed("ms-chap-v2", "zoë", 691, "wrong password"), {"session": "s1", "user": ""})
    log.close()
    first, second = lines(path)
    assert first["event"] == "GATEWAY_UP"
    assert first["listen"] == ["192.0.2.1:1723"]
    assert (second["event"], second["severity"], second["session"]) == ("AUTH_FAIL", "warning", "s1")
    assert (second["user"], second["result_code"]) == ("zoë", 691)
    assert second["ts"] >= first["ts"]
    assert second["ts"][10] == "T"
    assert second["ts"][-6] in "+-"
    assert path.stat().st_mode & 0o777 == 0o600


def test_below_the_threshold_nothing_is_written(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path, Severity.WARNING)
    seen: list[dict] = []
    log.listeners.append(seen.append)
    log.emit(ControlMessageSeen(Direction.RECEIVED, "Echo-Request", ""), {})
    log.emit(PeerIdentified("MSRASV5.20"), {})
    log.emit(AuthenticationFailed("pap", "a", 0, "no"), {})
    log.close()
    assert [line["event"] for line in lines(path)] == ["AUTH_FAIL"]
    assert [record["event"] for record in seen] == ["AUTH_FAIL"]


def test_observers_see_what_the_log_does_not_want(tmp_path):
    log = EventLog(tmp_path / "events.jsonl", Severity.ERROR)
    seen: list[tuple] = []
    log.observers.append(lambda event, context: seen.append((event, context["session"])))
    log.emit(PeerIdentified("MSRASV5.20"), {"session": "s1"})
    log.close()
    assert seen == [(PeerIdentified("MSRASV5.20"), "s1")]


def test_a_burst_from_several_threads_is_complete(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)

    def burst(name: str) -> None:
        for number in range(2000):
            log.emit(PeerIdentified(f"{name}-{number}"), {})

    threads = [threading.Thread(target=burst, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    texts = [line["text"] for line in lines(path)]
    assert len(texts) == 6000
    for name in "abc":
        own = [text for text in texts if text.startswith(name)]
        assert own == [f"{name}-{number}" for number in range(2000)]
    assert log.dropped == 0


def test_a_full_disk_is_said_and_does_not_stop_anyone(tmp_path):
    log = EventLog(Path("/dev/full"), options=LogOptions(state=tmp_path))
    log.emit(PeerIdentified("lost"), {})
    log.close()
    assert log.dropped == 1
    assert "No space left" in log.failed


def test_a_place_that_cannot_be_written_is_an_error_for_people(tmp_path):
    with pytest.raises(StateError, match="cannot write the event log"):
        EventLog(tmp_path / "nowhere" / "at all" / "events.jsonl")


def test_the_directory_of_a_log_is_made_for_its_owner(tmp_path):
    EventLog(tmp_path / "logs" / "events.jsonl").close()
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700
    assert check(tmp_path / "logs" / "events.jsonl").whole


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_disk_that_is_full_for_a_while_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "RETRY", 0.02)
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.request(lambda file: file.flush()).result(10)
    real, full = os.write, threading.Event()

    def scarce(descriptor, octets):
        if full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, octets)

    monkeypatch.setattr(os, "write", scarce)
    told: list[dict] = []
    log.listeners.append(told.append)
    full.set()
    for number in range(500):
        log.emit(PeerIdentified(str(number)), {})
    until(lambda: log.failed)
    assert "No space left" in log.failed
    assert log.backlog >= 500
    assert [record["event"] for record in told if record["event"].startswith("LOG_")] == ["LOG_FAILED"]
    full.clear()
    until(lambda: not log.failed)
    log.close()
    assert [line["text"] for line in lines(path)] == [str(number) for number in range(500)]
    assert log.dropped == 0
    assert [record["event"] for record in told if record["event"].startswith("LOG_")] == ["LOG_FAILED", "LOG_RECOVERED"]
    assert check(path).whole


def test_what_does_not_fit_the_spool_is_counted_and_told(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path, options=LogOptions(spool=100))
    go_on = held(log)
    for number in range(150):
        log.emit(PeerIdentified(str(number)), {})
    assert log.dropped >= 50
    go_on.set()
    until(lambda: "LOG_LOST" in path.read_text())
    log.close()
    (lost,) = [record for record in records(path) if record["event"] == "LOG_LOST"]
    assert lost["lost"] == log.dropped
    assert len(lines(path)) + log.dropped == 150


def test_a_log_that_is_taken_away_is_begun_again(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "TICK", 0.02)
    path = tmp_path / "logs" / "events.jsonl"
    path.parent.mkdir()
    log = EventLog(path, options=LogOptions(state=tmp_path))
    log.emit(PeerIdentified("first"), {})
    until(lambda: path.exists() and "first" in path.read_text())
    shutil.rmtree(path.parent)
    until(lambda: path.exists() and "LOG_FAILED" in path.read_text())
    log.emit(PeerIdentified("second"), {})
    log.close()
    assert [line["text"] for line in lines(path)] == ["second"]


def test_a_clock_that_jumps_is_told_and_the_numbers_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "TICK", 0.02)
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.emit(PeerIdentified("before"), {})
    real, shift = time.time, [3600.0]
    monkeypatch.setattr(time, "time", lambda: real() - shift[0])
    until(lambda: any("CLOCK_JUMP" in one.read_text() for one in tmp_path.glob("*.jsonl")))
    log.emit(PeerIdentified("after"), {})
    log.close()
    found = records(path)
    (jump,) = [record for record in found if record["event"] == "CLOCK_JUMP"]
    assert jump["seconds"] == pytest.approx(-3600, abs=1)
    assert [record["seq"] for record in found] == list(range(1, len(found) + 1))
    assert check(path).whole


def test_it_is_signed_at_the_interval_and_not_without_need(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path, options=LogOptions(sign_interval=0.05))
    log.emit(PeerIdentified("x"), {})
    until(lambda: "LOG_SIGNED" in path.read_text(), 5)
    log.close()
    assert 1 <= path.read_text().count("LOG_SIGNED") <= 3


def test_debug_is_written_for_those_who_are_traced(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.traced = lambda context: context.get("user") == "alice"
    for user in ("alice", "bob"):
        log.emit(ControlMessageSeen(Direction.RECEIVED, "Echo-Request", ""), {"user": user})
    log.close()
    assert [line["user"] for line in lines(path)] == ["alice"]


def test_a_fault_of_ours_does_not_end_the_log(tmp_path):
    class Broken:
        def apply(self, record):
            if record.get("text") == "bad":
                raise RuntimeError("oh")
            return record

    path = tmp_path / "events.jsonl"
    log = EventLog(path, options=LogOptions(disguise=Broken()))
    for text in ("first", "bad", "good"):
        log.emit(PeerIdentified(text), {})
    log.close()
    assert [line.get("text") for line in lines(path)] == ["first", None, "good"]
    assert lines(path)[1]["detail"] == "RuntimeError while IDENTIFICATION was written"


def held(log: EventLog) -> threading.Event:
    """Let the writer wait until the event that is returned is set."""
    started, go_on = threading.Event(), threading.Event()
    log.request(lambda _: (started.set(), go_on.wait(60)))
    assert started.wait(60)
    return go_on


def test_what_waits_is_text_which_the_garbage_collector_does_not_look_at(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    go_on = held(log)
    context = {"session": "s"}
    for number in range(2000):
        log.emit(PeerIdentified(str(number)), context)
    context["session"] = "changed"
    assert len(log._queue) == 2000
    assert not any(map(gc.is_tracked, log._queue))
    go_on.set()
    log.close()
    assert [line["text"] for line in lines(path)] == [str(number) for number in range(2000)]
    assert {tuple(line) for line in lines(path)} == {
        ("ts", "event", "severity", "v", "session", "text", "seq", "chain")
    }
    assert {line["session"] for line in lines(path)} == {"s"}
    assert check(path).whole


def test_where_names_are_replaced_that_is_the_writers_work(tmp_path):
    class Slow:
        def __init__(self):
            self.threads = set()

        def apply(self, record):
            self.threads.add(threading.current_thread().name)
            return {**record, "text": "someone"}

    path, disguise = tmp_path / "events.jsonl", Slow()
    log = EventLog(path, options=LogOptions(disguise=disguise))
    for number in range(100):
        log.emit(PeerIdentified(str(number)), {})
    log.close()
    assert disguise.threads == {"event-log"}
    assert {line["text"] for line in lines(path)} == {"someone"}


def test_a_fact_that_cannot_be_written_costs_its_words_and_hurts_no_one(tmp_path):
    class Broken(PeerIdentified):
        def __getattribute__(self, name):
            if name == "text":
                raise RuntimeError("oh")
            return super().__getattribute__(name)

    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.emit(Broken("x"), {})
    log.emit(PeerIdentified("good"), {})
    log.close()
    assert [line.get("text") for line in lines(path)] == [None, "good"]
    assert lines(path)[0]["detail"] == "RuntimeError while IDENTIFICATION was written"


KILLED = """
import sys, itertools
from pathlib import Path
from holdfast.events import PeerIdentified
from holdfast.observe.event_log import EventLog
log = EventLog(Path(sys.argv[1]))
for number in itertools.count():
    log.emit(PeerIdentified(str(number)), {})
    if log.backlog > 1000:
        print("ready", flush=True)
"""


def test_kill_9_in_the_middle_of_writing(tmp_path):
    path = tmp_path / "events.jsonl"
    for _ in range(3):
        with subprocess.Popen((sys.executable, "-c", KILLED, path), stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"ready\n"
            writer.kill()
        report = check(path)
        assert report.whole, report.problems
    log = EventLog(path)
    log.close()
    assert check(path).whole
    assert [record["event"] for record in records(path)].count("LOG_OPENED") == 4


def test_receivers_get_what_the_file_gets(tmp_path):
    class Collecting:
        def __init__(self):
            self.got, self.closed = [], False

        def offer(self, lines):
            self.got += lines

        def finish(self):
            self.closed = False

        def close(self):
            self.closed = True

    path, receiver = tmp_path / "events.jsonl", Collecting()
    log = EventLog(path, options=LogOptions(connect=lambda _: [receiver]))
    for number in range(100):
        log.emit(PeerIdentified(str(number)), {})
    log.tell(PeerIdentified("told"))
    log.close()
    assert receiver.closed
    assert b"".join(receiver.got) == path.read_bytes()
    assert len(receiver.got) == 103
