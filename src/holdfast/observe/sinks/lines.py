"""What sinks read out of a line: time, event, severity, and a text for people."""

import json
import re
from typing import Any, NamedTuple

_HEAD = re.compile(rb'\{"ts":"([^"]{1,40})","event":"([A-Z0-9_]{1,40})","severity":"([a-z]{1,10})"')

SYSLOG_SEVERITY = {"debug": 7, "info": 6, "notice": 5, "warning": 4, "error": 3}
"""RFC 5424 section 6.2.1; journald and GELF use the same numbers."""

ENVELOPE = frozenset({"ts", "event", "severity", "v", "seq", "chain", "session", "connection"})
"""Fields with a place of their own in a line for people, or of no use there."""


class Head(NamedTuple):
    """The beginning of a line."""

    stamp: str
    event: str
    severity: str

    @property
    def level(self) -> int:
        """The severity as a number (RFC 5424)."""
        return SYSLOG_SEVERITY.get(self.severity, 6)


def head_of(line: bytes) -> Head:
    """Return the beginning of a line."""
    found = _HEAD.match(line)
    if found is None:
        return Head("-", "-", "info")
    return Head(found[1].decode(), found[2].decode(), found[3].decode())


def chain_of(line: bytes) -> bytes:
    """Return the chain value of a line, as it stands there: no two lines have the same."""
    return line.rpartition(b'"chain":"')[2].partition(b'"')[0]


def record_of(line: bytes) -> dict[str, Any]:
    """Return the record in a line that the log made."""
    record: dict[str, Any] = json.loads(line)
    return record


def text_of(record: dict[str, Any]) -> str:
    """Return a record as a line for people, without its time: severity, event, session, the rest as key=value."""
    name = record.get("session") or record.get("connection") or "-"
    details = " ".join(f"{key}={_shown(value)}" for key, value in record.items() if key not in ENVELOPE)
    return f"{record.get('severity', '-')} {record.get('event', '-')} {name} {details}".rstrip()


def _shown(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text
