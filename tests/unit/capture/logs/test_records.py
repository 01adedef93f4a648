import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.capture.findings.catalogue import entries
from holdfast.capture.logs.judge import read_log
from holdfast.capture.logs.records import CODES, HALVES, REASONS, is_record, read_record
from holdfast.capture.logs.when import Clock
from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, Event, HalfDead, IpOpened, SessionEnded, SessionStarted
from holdfast.observe.event_log import EventLog, LogOptions
from holdfast.observe.segments import segments

CONTEXT = {"session": "5e55", "client_ip": "203.0.113.5", "local_call_id": 7, "peer_call_id": 9, "user": "bob"}


def ended(reason: DisconnectReason) -> SessionEnded:
    return SessionEnded(reason, "it was so", "bob", 0, 0, 0, 0, 1.0)


def causes(path: Path) -> list[list[str]]:
    return [[finding.id for finding, _ in session.findings()] for session in read_log(str(path)).sessions]


def write(path: Path, *events: Event, **options: Any) -> None:
    log = EventLog(path, options=LogOptions(**options))
    for event in events:
        log.emit(event, CONTEXT)
    log.close()


def test_our_own_log(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    refused = AuthenticationFailed("MS-CHAPv2", "bob", 647, "disabled")
    write(path, SessionStarted(), refused, ended(DisconnectReason.AUTH_FAILED))
    log = read_log(str(path))
    (session,) = log.sessions
    assert [finding.id for finding, _ in session.findings()] == ["auth-disabled"]
    assert (session.user, session.client, session.call_ids) == ("bob", "203.0.113.5", (9, 7))
    assert session.begun is not None
    assert log.notes == []


def test_a_session_that_was_well(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    up = IpOpened("10.0.0.1", "10.0.0.2", (), ())
    write(path, SessionStarted(), up, HalfDead("received", "no GRE"), ended(DisconnectReason.USER_REQUEST))
    (session,) = read_log(str(path)).sessions
    assert session.up
    assert [finding.id for finding, _ in session.findings()] == ["gre-lost"]


def test_rotated_and_compressed_segments(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    facts = [SessionStarted(), *[AuthenticationFailed("PAP", "bob", 0, "x" * 200)] * 40]
    write(path, *facts, segment_size=2000)
    write(path, SessionStarted())
    packed = [segment.path for segment in segments(path) if segment.path.suffix == ".gz"]
    plain = [segment.path for segment in segments(path) if segment.path.suffix != ".gz" and not segment.is_open]
    assert packed or plain
    for part in packed + plain:
        assert ["auth-rejected"] in causes(part) or causes(part) == []


def test_every_meaning_is_in_the_catalogue() -> None:
    meant = {word for word, _ in REASONS.values()} | set(CODES.values()) | set(HALVES.values())
    assert meant <= set(entries())


def test_what_watch_found() -> None:
    record = {"event": "WATCH_FAILED", "session": "w1", "finding": "gre-missing", "certainty": 0.9, "why": "none came"}
    line = read_record(1, json.dumps(record), Clock(0.0))
    assert line is not None
    assert line.told == (("gre-missing", 0.9, "none came"),)


def test_the_journal() -> None:
    entry = {"__REALTIME_TIMESTAMP": "1767323045000001", "SYSLOG_IDENTIFIER": "pppd", "_PID": "7", "MESSAGE": "Exit."}
    line = read_record(3, json.dumps(entry), Clock(0.0))
    assert line is not None
    assert (line.number, line.when, line.program, line.process) == (3, 1767323045000001000, "pppd", "7")


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{x}",
        "[" * 5000,
        '{"event": 7}',
        '{"event": "TEARDOWN", "reason": {}}',
        '{"MESSAGE": [1, 2]}',
        '{"a":' * 3000,
    ],
)
def test_rubbish(text: str) -> None:
    line = read_record(1, text, Clock(0.0))
    assert line is None or not line.told
    assert is_record('{"a": 1}\n')
    assert not is_record("pppd[1]: {")
