"""A bounded piece of the log for somebody who must not read its files: so many lines, so many octets, so much work."""

import time
from pathlib import Path
from typing import NamedTuple

from holdfast.observe.chain import seq_of
from holdfast.observe.log_cursor import LogCursor
from holdfast.observe.reader import Query, chosen
from holdfast.secret import Secret

MOST_LINES, MOST_OCTETS = 500, 512 * 1024
"""Lines and octets after which a page is full."""
MOST_LOOKED_AT = 20_000
"""Lines after which a page ends, also where few of them were wanted."""
BREATH, PAUSE = 64, 0.0005
"""Lines after which others may run, and for how many seconds: whoever answers clients has no time."""


class Page(NamedTuple):
    """The wanted lines behind `after`, and the number of the last line that was looked at. `more`: go on behind it."""

    lines: list[bytes]
    looked_to: int
    more: bool


def read_page(log: Path, key: Secret | None, query: Query, after: int, to: int) -> Page:
    """Return the wanted lines behind number `after`, up to number `to`, oldest first."""
    cursor = LogCursor(log, key, after)
    try:
        return _read(cursor, query, after, to)
    finally:
        cursor.close()


def _read(cursor: LogCursor, query: Query, after: int, to: int) -> Page:
    lines: list[bytes] = []
    octets = 0
    while len(lines) < MOST_LINES and octets < MOST_OCTETS and cursor.seq - after < MOST_LOOKED_AT:
        found = [raw for raw in cursor.read(BREATH) if seq_of(raw) <= to]
        wanted = [raw for raw in found if any(chosen(raw, query))]
        lines += wanted
        octets += sum(map(len, wanted))
        if not found or cursor.seq >= to:
            return Page(lines, min(cursor.seq, to), more=False)
        time.sleep(PAUSE)
    return Page(lines, cursor.seq, more=True)
