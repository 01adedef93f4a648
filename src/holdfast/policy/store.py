"""The embedded database of a state directory: one SQLite file, mode 0600, used by any number of processes.

A running gateway and the commands beside it see each other's changes at once (write-ahead log). Everything that
is peculiar to SQLite stands in this file; the tables and the questions asked of them do not know it.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from holdfast.errors import StateError
from holdfast.machine import Entropy
from holdfast.policy.files import OWNER_ONLY, make_private_file, private_directory
from holdfast.policy.schema import SCHEMA_VERSION, meta, metadata
from holdfast.policy.sealing import KEY_FILE, Sealer, make_key, read_key
from holdfast.secret import Secret

DATABASE_FILE = "holdfast.db"
BUSY_TIMEOUT = 5000
"""Milliseconds to wait for another process that writes."""

_VERSION_KEY, _CHECK_KEY = "schema", "key-check"
_CHECK_TEXT = Secret(b"holdfast")


class Store:
    """An open database and the sealer of its secrets. Make one with `Store.open`; `close` it."""

    def __init__(self, engine: Engine, sealer: Sealer, path: Path) -> None:
        self._engine, self.sealer, self.path = engine, sealer, path

    @classmethod
    def open(cls, directory: Path, *, entropy: Entropy = secrets.token_bytes) -> "Store":
        """Open the database of the state directory, making directory, key and database when they are not there.

        Raises StateError when directory, key or database cannot be used; the text says what to do.
        """
        private_directory(directory)
        path = directory / DATABASE_FILE
        with _explained(path):
            if not path.exists():
                make_private_file(path, b"")
            _keep_private(path)
        engine = _engine(path)
        try:
            return cls(engine, _prepare(engine, directory, path, entropy), path)
        except BaseException:
            engine.dispose()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Ask. Each statement sees the newest state."""
        with _explained(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Change, all of it or nothing. IntegrityError passes through: it is an answer."""
        with _explained(self.path), _transaction(self._engine) as connection:
            yield connection

    def check(self) -> None:
        """Look through the whole file. StateError when it is damaged."""
        with self.read() as connection:
            answer = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if answer != "ok":
            raise _damaged(self.path)

    def mark(self, key: str) -> bool:
        """Set a mark in the database; False when it was set before."""
        try:
            with self.write() as connection:
                connection.execute(insert(meta).values(key=f"mark:{key}", value=b""))
        except IntegrityError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _engine(path: Path) -> Engine:
    # hide_parameters: not even a sealed secret belongs into an exception text.
    engine = create_engine(URL.create("sqlite", database=str(path)), isolation_level="AUTOCOMMIT", hide_parameters=True)
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
    connection.execute("PRAGMA journal_mode=WAL")
    # NORMAL: a power cut may lose the last changes, never the file; leases are made anew after that anyway.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA trusted_schema=OFF")


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    """Take the write lock first: a transaction that read before it writes could fail half-way instead of waiting."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            # A full disk may have rolled back already; what is wrong is told, not that there is nothing to roll back.
            with suppress(DatabaseError):
                connection.exec_driver_sql("ROLLBACK")
            raise


def _prepare(engine: Engine, directory: Path, path: Path, entropy: Entropy) -> Sealer:
    """Make the tables in a new file, or judge those of an old one; return the sealer with the right key."""
    with _explained(path):
        if inspect(engine).has_table(meta.name):
            with engine.connect() as connection:
                judged = _judge(connection, directory, path, entropy)
                # Tables that came later: an older Holdfast lives with them, because it does not look.
                metadata.create_all(connection)
                return judged
        key = read_key(directory) or make_key(directory, entropy)
        sealer = Sealer(key, where=str(directory / KEY_FILE), entropy=entropy)
        with _transaction(engine) as connection:
            if not inspect(connection).has_table(meta.name):
                _make(connection, sealer)
            return _judge(connection, directory, path, entropy)


def _make(connection: Connection, sealer: Sealer) -> None:
    metadata.create_all(connection)
    check = sealer.seal(_CHECK_TEXT, _CHECK_KEY)
    connection.execute(insert(meta).values(key=_VERSION_KEY, value=str(SCHEMA_VERSION).encode()))
    connection.execute(insert(meta).values(key=_CHECK_KEY, value=check))


def _judge(connection: Connection, directory: Path, path: Path, entropy: Entropy) -> Sealer:
    """Check version and key of an existing database."""
    known = {row.key: row.value for row in connection.execute(select(meta.c.key, meta.c.value))}
    version = known.get(_VERSION_KEY, b"")
    if not version.isdigit() or _CHECK_KEY not in known:
        raise _damaged(path)
    if int(version) != SCHEMA_VERSION:
        raise StateError(
            f"this database has version {int(version)}, this Holdfast knows version {SCHEMA_VERSION}",
            where=str(path),
            fix="Use the Holdfast that wrote it, or a newer one.",
        )
    key = read_key(directory)
    if key is None:
        raise StateError(
            "the key of this database is gone",
            where=str(directory / KEY_FILE),
            fix=f"Restore it from a backup. Without it the passwords are lost: remove {path} and add the users again.",
        )
    sealer = Sealer(key, where=str(directory / KEY_FILE), entropy=entropy)
    sealer.unseal(known[_CHECK_KEY], _CHECK_KEY)
    return sealer


def _keep_private(path: Path) -> None:
    if path.stat().st_mode & 0o177:
        path.chmod(OWNER_ONLY)


def _damaged(path: Path) -> StateError:
    return StateError(
        "this database is damaged or not one of Holdfast's",
        where=str(path),
        fix=f"Restore it from a backup, or move it away (with {path.name}-wal and {path.name}-shm) to start empty.",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the database and the host say into words for people."""
    try:
        yield
    except IntegrityError:
        raise
    except OperationalError as error:
        raise _operational(path, str(error.orig)) from None
    except sqlite3.OperationalError as error:
        raise _operational(path, str(error)) from None
    except (DatabaseError, sqlite3.DatabaseError):
        raise _damaged(path) from None
    except OSError as error:
        raise StateError(
            f"the database cannot be used: {error.strerror}",
            where=str(path),
            fix="Run this as the user that owns the state directory, or as root.",
        ) from None


def _operational(path: Path, said: str) -> StateError:
    fixes = {
        "locked": "Another process has been writing for long; see which one uses the file (fuser) and try again.",
        "readonly": "Run this as the user that owns the state directory, or as root.",
        "unable to open": "Run this as the user that owns the state directory, or as root.",
        "full": "Make room on the file system that holds the state directory.",
        "disk I/O": "The disk reports errors; look at the kernel's log.",
    }
    for word, fix in fixes.items():
        if word in said:
            return StateError(f"the database cannot be used: {said}", where=str(path), fix=fix)
    return _damaged(path)
