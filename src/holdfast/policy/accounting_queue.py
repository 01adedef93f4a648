"""Accounting records that wait for a server, on disk and in order, and the sessions that are open.

A file of its own beside the state database: it belongs to this gateway even where several share users, and a kill -9
loses nothing that was added. Records leave it only when a server has acknowledged them. How the first of them went out
is noted as well, so that a successor can send it again octet for octet.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import StateError
from holdfast.radius.attributes import Attribute, read_attributes, write_attributes
from holdfast.radius.exchange_types import Sent

TABLES = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, update_only INTEGER NOT NULL, attributes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS flight (
    only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, at REAL NOT NULL,
    server TEXT NOT NULL, port INTEGER NOT NULL, octets BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS open (
    session TEXT PRIMARY KEY, at REAL NOT NULL, identity BLOB NOT NULL, last BLOB NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record. `at`: when it was true, in seconds since 1970."""

    number: int
    at: float
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Flight:
    """How the record that is under way went out, and when first."""

    at: float
    sent: Sent


@dataclass(frozen=True, slots=True)
class Leftover:
    """A session that was open when the gateway was killed, with its last counts."""

    session: str
    at: float
    identity: tuple[Attribute, ...]
    last: tuple[Attribute, ...]


class AccountingQueue:
    """First in, first out. StateError when the disk refuses."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self.dropped = 0
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(TABLES)
            self._count = self._number()
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from error

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is done inside happens or nothing of it: a kill in between doubles no record."""
        self._execute("BEGIN")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            with suppress(StateError):  # a full disk may have rolled back already
                self._execute("ROLLBACK")
            with suppress(sqlite3.Error):
                self._count = self._number()
            raise

    def add(self, attributes: list[Attribute], at: float, *, update_only: bool = False) -> None:
        """Append a record. When the queue is full, the oldest update goes; when there is none, this record does."""
        if self._count >= self._limit and not self._make_room():
            self.dropped += 1
            return
        row = (at, int(update_only), write_attributes(attributes))
        self._execute("INSERT INTO waiting (at, update_only, attributes) VALUES (?, ?, ?)", row)
        self._count += 1

    def first(self) -> Waiting | None:
        """Return the oldest record."""
        row = self._execute("SELECT number, at, attributes FROM waiting ORDER BY number LIMIT 1").fetchone()
        return None if row is None else Waiting(row[0], row[1], read_attributes(row[2]))

    def remove(self, number: int) -> None:
        """Forget a record: a server has it."""
        self._count -= self._execute("DELETE FROM waiting WHERE number = ?", (number,)).rowcount

    def launched(self, number: int, flight: Flight) -> None:
        """Remember how a record goes out, before it does. One record is under way at a time."""
        sent = flight.sent
        row = (number, flight.at, sent.server, sent.port, sent.octets)
        self._execute("INSERT OR REPLACE INTO flight VALUES (1, ?, ?, ?, ?, ?)", row)

    def flight(self, number: int) -> Flight | None:
        """Return how a record went out last; None when it has not, as far as is known."""
        row = self._execute("SELECT at, server, port, octets FROM flight WHERE number = ?", (number,)).fetchone()
        return None if row is None else Flight(row[0], Sent(row[1], row[2], row[3]))

    def opened(self, session: str, identity: list[Attribute], last: list[Attribute], at: float) -> None:
        """Remember an open session and its last counts, for the successor of a gateway that is killed."""
        row = (session, at, write_attributes(identity), write_attributes(last))
        self._execute("INSERT OR REPLACE INTO open VALUES (?, ?, ?, ?)", row)

    def counted(self, session: str, last: list[Attribute], at: float) -> None:
        """Remember the last counts of a session that was `opened`."""
        row = (at, write_attributes(last), session)
        self._execute("UPDATE open SET at = ?, last = ? WHERE session = ?", row)

    def closed(self, session: str) -> None:
        """Forget an open session."""
        self._execute("DELETE FROM open WHERE session = ?", (session,))

    def leftovers(self) -> list[Leftover]:
        """Return the sessions that are noted as open."""
        rows = self._execute("SELECT session, at, identity, last FROM open ORDER BY at").fetchall()
        return [Leftover(row[0], row[1], read_attributes(row[2]), read_attributes(row[3])) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _number(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def _make_room(self) -> bool:
        oldest = "SELECT number FROM waiting WHERE update_only = 1 ORDER BY number LIMIT 1"
        removed = self._execute(f"DELETE FROM waiting WHERE number = ({oldest})").rowcount  # noqa: S608 - a constant
        self._count -= removed
        self.dropped += removed
        return bool(removed)

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> StateError:
        return StateError(f"the accounting queue cannot be used: {error}", where=str(self._path))
