"""Reading a log back: choosing lines, and following what is being written."""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.events import Severity
from holdfast.observe.chain import Link, parse
from holdfast.observe.log_cursor import LogCursor, last_seq
from holdfast.observe.segments import Segment, lines_of, segments
from holdfast.secret import Secret

POLL = 0.25
"""Seconds between looks at a file that is followed."""
AT_ONCE = 512
"""Lines of it that are read before they are looked at."""

Line = tuple[bytes, dict[str, Any]]
"""A line as it stands in the log, with its newline, and its record."""

_RANK = {severity.value: rank for rank, severity in enumerate(Severity)}
_STAMP = re.compile(rb'\{"ts":"([^"]{1,40})"')


@dataclass(frozen=True, slots=True)
class Query:
    """Which records are wanted; empty means any. `users` holds a name and its pseudonym; a session is given by the
    beginning or end of its id, or of its connection's."""

    users: frozenset[str] = frozenset()
    session: str = ""
    events: frozenset[str] = field(default_factory=frozenset)
    severity: Severity = Severity.DEBUG
    since: datetime | None = None
    until: datetime | None = None

    def wants(self, record: dict[str, Any]) -> bool:
        """Whether a record is wanted."""
        if self.users and record.get("user") not in self.users:
            return False
        if self.session and not any(_named(record.get(key), self.session) for key in ("session", "connection")):
            return False
        if self.events and record.get("event") not in self.events:
            return False
        return _RANK.get(str(record.get("severity")), 0) >= _RANK[self.severity] and self._in_time(record.get("ts"))

    def _in_time(self, stamp: Any) -> bool:
        if self.since is None and self.until is None:
            return True
        at = moment(str(stamp))
        return at is not None and not (self.since and at < self.since) and not (self.until and at >= self.until)


def moment(stamp: str) -> datetime | None:
    """Read a time with its zone; None when it is none."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at if at.tzinfo else at.astimezone()


def record_of(line: Link) -> dict[str, Any] | None:
    """Return the record in a line; None for a stub or what is no record."""
    if line.stub:
        return None
    try:
        record = json.loads(line.text())
    except ValueError:
        return None
    return {**record, "seq": line.seq} if isinstance(record, dict) else None


def read(log: Path, key: Secret | None, query: Query) -> Iterator[Line]:
    """Yield the wanted lines of the whole log, oldest first, each with its record. StateError as `segments.lines`."""
    for segment in _since(log, key, query.since):
        for raw in lines_of(segment, key):
            yield from chosen(raw, query)


def last(log: Path, key: Secret | None, query: Query, count: int) -> list[Line]:
    """Return the last `count` wanted lines, looking no further back than needed."""
    found: deque[Line] = deque()
    for segment in reversed(_since(log, key, query.since)):
        inner: deque[Line] = deque(maxlen=max(0, count - len(found)))
        for raw in lines_of(segment, key):
            inner.extend(chosen(raw, query))
        found.extendleft(reversed(inner))
        if len(found) >= count:
            break
    return list(found)


def follow(log: Path, key: Secret | None, query: Query, stopped: Callable[[], bool]) -> Iterator[Line]:
    """Yield wanted lines as they are written from now on, through rotations, until `stopped`. StateError when
    the end of the log cannot be read."""
    cursor = LogCursor(log, key, last_seq(log, key))
    try:
        while not stopped():
            found = cursor.read(AT_ONCE)
            for raw in found:
                yield from chosen(raw, query)
            if not found:
                time.sleep(POLL)
    finally:
        cursor.close()


def seq_before(log: Path, key: Secret | None, since: datetime | None) -> int:
    """Return a number behind which everything of that time stands. StateError when the log cannot be read."""
    found = _since(log, key, since)
    return max(0, (found[0].first or found[0].began) - 1) if found else 0


def chosen(raw: bytes, query: Query) -> Iterator[Line]:
    """Yield a line of the log if it is wanted, with its record."""
    line = parse(raw)
    record = record_of(line) if line is not None else None
    if record is not None and query.wants(record):
        yield raw, record


def _named(value: Any, part: str) -> bool:
    return isinstance(value, str) and (value.startswith(part) or value.endswith(part))


def _since(log: Path, key: Secret | None, since: datetime | None) -> list[Segment]:
    """Return the segments in which there may be lines of that time: those before one that began earlier cannot."""
    found = segments(log)
    if since is None:
        return found
    for index in range(len(found) - 1, -1, -1):
        began = _began(found[index], key)
        if began is not None and began <= since:
            return found[index:]
    return found


def _began(segment: Segment, key: Secret | None) -> datetime | None:
    first = next(lines_of(segment, key), b"")
    stamp = _STAMP.match(first)
    return moment(stamp[1].decode()) if stamp else None
