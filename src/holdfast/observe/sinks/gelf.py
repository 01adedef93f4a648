"""GELF 1.1 for Graylog: over UDP, compressed and in chunks where needed, or over TCP with a null octet at the end."""

import json
import platform
import secrets
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from holdfast.observe.sinks.datagrams import Datagrams
from holdfast.observe.sinks.lines import SYSLOG_SEVERITY, record_of, text_of
from holdfast.observe.sinks.stream import Stream

CHUNK = 1420
"""Octets of a message in one datagram: with the chunk header it fits an Ethernet frame."""
MOST_CHUNKS = 128
MAGIC = b"\x1e\x0f"


def message(line: bytes) -> bytes:
    """Return a line as a GELF object."""
    record = record_of(line)
    fields: dict[str, Any] = {
        "version": "1.1",
        "host": platform.node() or "holdfast",
        "short_message": text_of(record),
        "timestamp": datetime.fromisoformat(record["ts"]).timestamp(),
        "level": SYSLOG_SEVERITY.get(record["severity"], 6),
    }
    # GELF takes texts and numbers only, and reserves `_id`.
    fields.update({f"_{key}": _plain(value) for key, value in record.items() if key != "id"})
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _plain(value: Any) -> str | int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | str):
        return value
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def datagrams(text: bytes) -> Iterator[bytes]:
    """Yield the datagrams of one message. ValueError when it is too long for 128 of them."""
    packed = zlib.compress(text)
    if len(packed) <= CHUNK:
        yield packed
        return
    parts = [packed[start : start + CHUNK] for start in range(0, len(packed), CHUNK)]
    if len(parts) > MOST_CHUNKS:
        raise ValueError("a line is too long for GELF over UDP")
    identity = secrets.token_bytes(8)
    for number, part in enumerate(parts):
        yield MAGIC + identity + bytes((number, len(parts))) + part


class GelfDatagrams:
    """GELF over UDP."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self.name, self._datagrams = name, Datagrams(host, port)

    def send(self, lines: Sequence[bytes]) -> None:
        """Send the lines. ValueError before any was sent when one is too long."""
        self._datagrams.send([datagram for line in lines for datagram in datagrams(message(line))])

    def close(self) -> None:
        """Give the socket back."""
        self._datagrams.close()


class GelfStream:
    """GELF over TCP or TLS."""

    def __init__(self, name: str, stream: Stream) -> None:
        self.name, self._stream = name, stream

    def send(self, lines: Sequence[bytes]) -> None:
        """Send the lines."""
        self._stream.send(b"".join(message(line) + b"\0" for line in lines))

    def close(self) -> None:
        """Give the connection back."""
        self._stream.close()
