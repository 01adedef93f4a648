"""The newest lines of a log, for the process that goes on with it: read from the end, however large the files are."""

from collections import deque
from pathlib import Path
from typing import Any

from holdfast.errors import StateError
from holdfast.observe.chain import parse
from holdfast.observe.log_cursor import WINDOW, end_of
from holdfast.observe.reader import record_of
from holdfast.observe.segments import Segment, lines, segments
from holdfast.secret import Secret

LINES = 8192
"""Lines of the file that was closed before it, when that happened a moment ago."""


def newest_records(log: Path, key: Secret | None) -> list[dict[str, Any]]:
    """Return the newest records, oldest of them first; a part that cannot be read is left out."""
    parts = segments(log)
    found: list[bytes] = []
    if parts and parts[-1].is_open:
        parts.pop()
        found = end_of(log)
    if sum(map(len, found)) < WINDOW and parts:
        found = [*_closed(parts[-1], key), *found]
    parsed = (parse(raw) for raw in found)
    return [record for line in parsed if line is not None and (record := record_of(line)) is not None]


def _closed(segment: Segment, key: Secret | None) -> list[bytes]:
    try:
        return list(deque(lines(segment.path, key), LINES))
    except StateError:
        return []
