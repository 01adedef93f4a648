"""Accounting records that wait for a server, on disk and in order, and the sessions that are open.

A file of its own beside the state database: it belongs to this gateway even where several share users, and a kill -9
loses nothing that was written. Records leave it only when a server has acknowledged them. How those under way went out
is noted as well, so that a successor can send them again octet for octet.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.errors import StateError
from holdfast.policy.accounting_changes import Changes, Flight, Waiting
from holdfast.radius.attributes import Attributes, read_attributes
from holdfast.radius.codes import AcctStatus
from holdfast.radius.exchange_types import Sent

TABLES = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, update_only INTEGER NOT NULL, attributes BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS waiting_updates ON waiting (number) WHERE update_only = 1;
CREATE TABLE IF NOT EXISTS launched (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, server TEXT NOT NULL, port INTEGER NOT NULL, octets BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS open (
    session TEXT PRIMARY KEY, at REAL NOT NULL, identity BLOB NOT NULL, last BLOB NOT NULL
);
"""
OLD_FLIGHT = """
INSERT OR IGNORE INTO launched SELECT number, at, server, port, octets FROM flight;
DROP TABLE flight;
"""
"""Until one record was under way at a time, its flight was the only row of a table of its own."""
OF_THE_GATEWAY = (AcctStatus.ACCOUNTING_ON, AcctStatus.ACCOUNTING_OFF)


@dataclass(frozen=True, slots=True)
class Leftover:
    """A session that was open when the gateway was killed, with its last counts."""

    session: str
    at: float
    identity: bytes
    last: bytes


@dataclass(slots=True)
class Written:
    """What came of a transaction: `waiting` records on disk, those `given_up` for want of room, and what was asked for.

    `highest`: no record with a higher number is on disk.
    """

    waiting: int = 0
    highest: int = 0
    given_up: list[int] = field(default_factory=list)
    records: list[Waiting] = field(default_factory=list)


class AccountingQueue:
    """First in, first out. StateError when the disk refuses. One thread at a time."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self.limit = limit
        self.is_new = not path.exists()
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(TABLES)
            self._take_over_old_flight()
            self._count = self._number("SELECT count(*) FROM waiting")
            self.last = self._number("SELECT max(seq) FROM sqlite_sequence WHERE name = 'waiting'")
            """The highest number that was ever given to a record."""
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from error

    def __len__(self) -> int:
        return self._count

    def write(self, changes: Changes, *, after: int = 0, most: int = 0) -> Written:
        """Do all of it, or nothing; then return up to `most` records whose number is higher than `after`."""
        count, given_up = self._count, list[int]()
        try:
            self._database.execute("BEGIN")
            count -= self._remove(changes.removed)
            count += self._add(changes.added, count, given_up)
            self._note_sessions(changes)
            flights = (
                (n, one.at, one.sent.server, one.sent.port, one.sent.octets) for n, one in changes.launched.items()
            )
            self._database.executemany("INSERT OR REPLACE INTO launched VALUES (?, ?, ?, ?, ?)", flights)
            self._database.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):  # a full disk may have rolled back already
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._refusal(error) from error
            raise
        self._count, self.last = count, max(self.last, *changes.added, 0)
        return Written(count, self.last, given_up, self.read(after, most) if most else [])

    def read(self, after: int, most: int) -> list[Waiting]:
        """Return up to `most` records whose number is higher than `after`, in order."""
        statement = "SELECT number, at, update_only, attributes FROM waiting WHERE number > ? ORDER BY number LIMIT ?"
        rows = self._execute(statement, (after, most)).fetchall()
        return [_record_of(row) for row in rows]

    def flights(self) -> dict[int, Flight]:
        """Return how the records that were under way went out last."""
        self._execute("DELETE FROM launched WHERE number NOT IN (SELECT number FROM waiting)")
        rows = self._execute("SELECT number, at, server, port, octets FROM launched").fetchall()
        return {number: Flight(at, Sent(server, port, octets)) for number, at, server, port, octets in rows}

    def leftovers(self) -> list[Leftover]:
        """Return the sessions that are noted as open."""
        rows = self._execute("SELECT session, at, identity, last FROM open ORDER BY at").fetchall()
        return [Leftover(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # --- inside a transaction ------------------------------------------------------------------------------

    def _remove(self, numbers: Iterable[int]) -> int:
        rows = [(number,) for number in numbers]
        if not rows:
            return 0
        self._database.executemany("DELETE FROM launched WHERE number = ?", rows)
        return self._database.executemany("DELETE FROM waiting WHERE number = ?", rows).rowcount

    def _add(self, added: dict[int, Waiting], count: int, given_up: list[int]) -> int:
        """Append records; return by how many their number grew. When the queue is full, the oldest update goes; when
        there is none, the new record does."""
        before = count
        for one in added.values():
            if count >= self.limit:
                update = self._oldest_update()
                given_up.append(one.number if update is None else update)
                if update is None:
                    continue
                count -= self._remove([update])
            values = (one.number, one.at, int(one.update_only), one.octets)
            self._database.execute("INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?)", values)
            count += 1
        return count - before

    def _oldest_update(self) -> int | None:
        statement = "SELECT number FROM waiting WHERE update_only = 1 ORDER BY number LIMIT 1"
        row = self._database.execute(statement).fetchone()
        return None if row is None else int(row[0])

    def _note_sessions(self, changes: Changes) -> None:
        opened = ((session, *values) for session, values in changes.opened.items())
        self._database.executemany("INSERT OR REPLACE INTO open VALUES (?, ?, ?, ?)", opened)
        counted = ((*values, session) for session, values in changes.counted.items())
        self._database.executemany("UPDATE open SET at = ?, last = ? WHERE session = ?", counted)
        self._database.executemany("DELETE FROM open WHERE session = ?", ((session,) for session in changes.closed))

    # --- the file ------------------------------------------------------------------------------------------

    def _take_over_old_flight(self) -> None:
        if self._number("SELECT count(*) FROM sqlite_master WHERE name = 'flight'"):
            self._database.executescript(OLD_FLIGHT)

    def _number(self, statement: str) -> int:
        return int(self._database.execute(statement).fetchone()[0] or 0)

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> StateError:
        return StateError(f"the accounting queue cannot be used: {error}", where=str(self._path))


def _record_of(row: tuple[int, float, int, bytes]) -> Waiting:
    number, at, update_only, octets = row
    return Waiting(number, at, octets, session_of(octets), bool(update_only))


def session_of(octets: bytes) -> str:
    """Return the Acct-Session-Id that a record is of; `""` for Accounting-On and -Off, which are of all of them."""
    values = Attributes(read_attributes(octets))
    return "" if values.integer("Acct-Status-Type") in OF_THE_GATEWAY else values.text("Acct-Session-Id")
