"""No secret that a test uses may turn up in an event log that it writes.

Every `Secret` that is made while a test runs is remembered, and every event log that is opened. After the test each
log is searched for each secret: as it is, in hexadecimal, in Base64, and as JSON writes it.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import StateError
from holdfast.observe.event_log import EventLog
from holdfast.observe.segments import lines, segments
from holdfast.secret import Secret

SHORTEST = 6
"""Octets below which a secret turns up by chance."""
NO_SECRETS = frozenset({b"holdfast"})
"""What the store seals to see whether its key is the right one."""
PHRASES = (b"shared secret",)
"""Words of our own sentences (RFC 2865 speaks so), in a world where many a test's password is "secret"."""
LONG = 8
"""From here on it counts wherever it stands; shorter ones, such as "secret", count as words of their own."""


def forms(octets: bytes) -> Iterator[bytes]:
    """Yield how a secret could be written."""
    yield octets
    yield octets.hex().encode()
    yield octets.hex().upper().encode()
    yield b64encode(octets).rstrip(b"=")
    yield json.dumps(octets.decode("latin-1"))[1:-1].encode()
    yield json.dumps(octets.decode("latin-1"), ensure_ascii=False)[1:-1].encode()
    text = octets.decode("utf-8", "ignore")
    yield text.encode("utf-16-le")
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()


def found_in(text: bytes, secrets: set[bytes]) -> list[bytes]:
    """Return the secrets that stand in a text."""
    for phrase in PHRASES:
        text = text.replace(phrase, b"")
    return [secret for secret in secrets if any(_stands(text, form) for form in forms(secret) if len(form) >= SHORTEST)]


def _stands(text: bytes, form: bytes) -> bool:
    if len(form) >= LONG:
        return form in text
    return re.search(rb"(?<![\w-])" + re.escape(form) + rb"(?![\w-])", text) is not None


@pytest.fixture(autouse=True)
def no_secret_in_a_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Search the logs that a test wrote for the secrets that it used."""
    secrets, logs = set[bytes](), list[EventLog]()
    make_secret, open_log = Secret.__init__, EventLog.__init__

    def remember_secret(self: Secret, octets: bytes) -> None:
        make_secret(self, octets)
        if len(octets) >= SHORTEST and len(set(octets)) > 2 and bytes(octets) not in NO_SECRETS:
            secrets.add(bytes(octets))

    def remember_log(self: EventLog, *arguments: Any, **named: Any) -> None:
        open_log(self, *arguments, **named)
        logs.append(self)

    monkeypatch.setattr(Secret, "__init__", remember_secret)
    monkeypatch.setattr(EventLog, "__init__", remember_log)
    yield
    for log in logs:
        leaked = found_in(written(log), secrets)
        assert not leaked, f"{len(leaked)} secrets of this test stand in {log.place.path}"


def written(log: EventLog) -> bytes:
    """Return everything that is left of a log."""
    if log.place.path.exists() and not log.place.path.is_file():
        return b""
    return b"".join(_readable(part.path, log) for part in segments(log.place.path))


def _readable(path: Path, log: EventLog) -> bytes:
    """A part that a test damaged or encrypted is searched as it lies there."""
    try:
        return b"".join(lines(path, log.place.key))
    except StateError:
        return path.read_bytes()
