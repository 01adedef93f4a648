"""The log as the configuration wants it."""

from pathlib import Path

import pytest

from holdfast.config import parse
from holdfast.errors import ConfigError, StateError
from holdfast.events import PeerIdentified
from holdfast.gateway.log_setup import log_path, open_log, retention
from support.logs import check, records


def test_defaults(tmp_path: Path) -> None:
    seen: list[dict] = []
    journal = open_log(parse("").config, tmp_path, [seen.append])
    journal.log.emit(PeerIdentified("x"), {"user": "alice"})
    journal.close()
    assert [record["event"] for record in seen] == ["LOG_OPENED", "IDENTIFICATION", "LOG_SIGNED"]
    assert records(tmp_path / "events.jsonl") == seen
    assert check(tmp_path / "events.jsonl").whole
    assert journal.keyring is None


def test_a_place_sinks_and_pseudonyms(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    text = f'[log]\nfile = "{logs}/vpn.jsonl"\nsinks = ["file:{tmp_path}/copy.jsonl"]\npseudonyms = true\n'
    journal = open_log(parse(text).config, tmp_path)
    journal.log.emit(PeerIdentified("x"), {"user": "alice"})
    journal.close()
    written = (logs / "vpn.jsonl").read_bytes()
    assert (tmp_path / "copy.jsonl").read_bytes() == written
    assert b"alice" not in written
    assert log_path(parse(text).config, tmp_path) == logs / "vpn.jsonl"


def test_a_sink_that_fails_is_told_in_the_log(tmp_path: Path) -> None:
    text = f'[log]\nsinks = ["file:{tmp_path}/nowhere/copy.jsonl"]\n'
    journal = open_log(parse(text).config, tmp_path)
    journal.log.emit(PeerIdentified("x"), {})
    while "SINK_FAILED" not in (tmp_path / "events.jsonl").read_text():
        journal.log.request(lambda _: None).result(10)
    journal.close()
    (told,) = [record for record in records(tmp_path / "events.jsonl") if record["event"] == "SINK_FAILED"]
    assert told["sink"] == f"file:{tmp_path}/nowhere/copy.jsonl"
    assert "No such file" in told["detail"]


def test_how_long_is_the_configuration_s(tmp_path: Path) -> None:
    config = parse("[log]\nkeep_sessions = 1\nkeep_security = 2\nkeep_admin = 3\nkeep_packets = 4\n").config
    found = retention(config)
    assert (found.sessions, found.security, found.admin, found.packets) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('encryption_key = "/nowhere/key"', ConfigError),
        ('sinks = ["https://x/?token_file=/nowhere/token"]', ConfigError),
        ('file = "/nowhere/at all/events.jsonl"', StateError),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="/nowhere/"):
        open_log(parse(f"[log]\n{text}\n").config, tmp_path)
