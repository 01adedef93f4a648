"""The event log: order, shape, what a full disk does."""

import json
import threading
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
from holdfast.observe.event_log import EventLog, LogOptions


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
        EventLog(tmp_path / "nowhere" / "events.jsonl")
