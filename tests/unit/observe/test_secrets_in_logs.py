"""The hunt for secrets in logs finds what it hunts."""

from base64 import b64encode
from pathlib import Path

import pytest

from holdfast.events import ControlMessageSeen, Direction, PeerIdentified, Severity
from holdfast.observe.event_log import EventLog
from holdfast.secret import Secret
from support.secret_hunt import found_in, written

PASSWORD = b'cor"rect horse \xc3\xa4'


@pytest.mark.parametrize(
    "leak",
    [
        PASSWORD.decode(),
        PASSWORD.hex(),
        PASSWORD.hex().upper(),
        b64encode(PASSWORD).decode(),
        PASSWORD.decode("latin-1"),
        f"the password is {PASSWORD.decode()}!",
    ],
)
def test_a_leak_is_found(tmp_path: Path, leak: str) -> None:
    log = EventLog(tmp_path / "events.jsonl", Severity.DEBUG)
    log.emit(ControlMessageSeen(Direction.RECEIVED, "x", leak), {})
    log.close()
    assert found_in(written(log), {PASSWORD}) == [PASSWORD]


def test_what_only_looks_alike_is_not(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.emit(PeerIdentified("the chap-secrets file, and a secretary"), {"wrapped": str(Secret(PASSWORD))})
    log.close()
    assert found_in(written(log), {PASSWORD, b"secret"}) == []


def test_a_short_secret_counts_as_a_word() -> None:
    assert found_in(b'{"detail":"it was secret."}', {b"secret"}) == [b"secret"]


def test_closed_parts_are_searched_too(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.emit(PeerIdentified(PASSWORD.hex()), {})
    log.request(lambda file: file.rotate()).result(10)
    log.close()
    assert found_in(written(log), {PASSWORD}) == [PASSWORD]
