"""Pseudonyms in the event log: who it was can be told as long as a key is there, and by nobody once it is destroyed.

A pseudonym is 80 random bits. Nothing ties it to the name but a row of a database in the state directory, and that row
is the key: it cannot be computed from the name. Addresses that a user came from belong to that user: their keys go
together.
"""

import re
import secrets
import sqlite3
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from holdfast.errors import StateError
from holdfast.machine import Entropy
from holdfast.policy.files import make_private_file

KEYS_FILE = "log-pseudonyms.db"
USER, ADDRESS = "user", "addr"
MOST_SUBJECTS = 1_000_000
"""Names and addresses with a key of their own. Guessed names beyond that share one, so that a flood fills no disk."""
CACHE_SIZE = 50_000

NAME_FIELDS = frozenset({"user", "account", "host_name"})
EITHER_FIELDS = frozenset({"subject", "source"})
"""An address, or else a name."""
ADDRESS_FIELDS = frozenset(
    {"client", "client_ip", "gre_ip", "gre_source", "intruder", "owner", "address", "peer_address", "correlation"}
)
OWN_FIELDS = frozenset(
    {"ts", "event", "severity", "session", "connection", "server", "server_ip", "interface", "listen", "local_address"}
    | {"dns", "wins", "version", "reason", "method", "phase", "protocol", "code", "mppe_mode", "tunnel"}
)
"""Fields that say nothing of a person; all other texts are searched for names and addresses."""

_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
_TARGET = re.compile(r"\b(user )(.+?)(?=, user |$)")
"""How an administrator's action names a user."""
_SAID_NAME = re.compile(r"\b(name|user)=(\S+)")
_RADIUS_NAME = re.compile(r'^(User-Name = ")(.+)(")$')


class Keyring:
    """The keys of a state directory. One thread uses it at a time."""

    def __init__(self, state: Path, *, entropy: Entropy = secrets.token_bytes) -> None:
        self._path, self._entropy = state / KEYS_FILE, entropy
        self._cache: dict[tuple[str, str], str] = {}
        self._linked: set[tuple[str, str]] = set()
        with self._explained():
            if not self._path.exists():
                make_private_file(self._path, b"")
            self._database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._database.executescript(_SCHEMA)
            (self._count,) = self._database.execute("SELECT count(*) FROM subject").fetchone()

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def pseudonym(self, kind: str, subject: str) -> str:
        """Return the pseudonym of a name or an address, making its key if there is none.

        Never fails: when the database does, everybody is unknown, for the log goes on and names no one.
        """
        known = self._cache.get((kind, subject))
        if known is None:
            try:
                known = self.find(kind, subject) or self._make(kind, subject)
            except StateError:
                return f"{kind}-unknown"
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            self._cache[(kind, subject)] = known
        return known

    def find(self, kind: str, subject: str) -> str | None:
        """Return the pseudonym of a name or an address, None if it has none."""
        with self._explained():
            query = "SELECT pseudonym FROM subject WHERE kind = ? AND subject = ?"
            row = self._database.execute(query, (kind, subject)).fetchone()
        return None if row is None else str(row[0])

    def who(self, pseudonym: str) -> str | None:
        """Return the name or address behind a pseudonym, None when nobody can tell."""
        with self._explained():
            row = self._database.execute("SELECT subject FROM subject WHERE pseudonym = ?", (pseudonym,)).fetchone()
        return None if row is None else str(row[0])

    def link(self, user: str, address: str) -> None:
        """Remember that this user came from this address."""
        if (user, address) in self._linked:
            return
        if len(self._linked) >= CACHE_SIZE:
            self._linked.clear()
        self._linked.add((user, address))
        with suppress(StateError), self._explained():
            self._database.execute("INSERT OR IGNORE INTO link VALUES (?, ?)", (user, address))

    def forget(self, user: str) -> int:
        """Destroy the keys of a user and of the addresses that the user came from; return how many there were."""
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            own = "kind = 'addr' AND subject IN (SELECT address FROM link WHERE user = :user)"
            count = self._database.execute(
                f"DELETE FROM subject WHERE (kind = 'user' AND subject = :user) OR ({own})",  # noqa: S608 - constants
                {"user": user},
            ).rowcount
            self._database.execute("DELETE FROM link WHERE user = ?", (user,))
            self._database.execute("COMMIT")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._cache.clear()
        self._linked.clear()
        self._count -= count
        return count

    def _make(self, kind: str, subject: str) -> str:
        if self._count >= MOST_SUBJECTS:
            return f"{kind}-unknown"
        pseudonym = f"{kind}-{b32encode(self._entropy(10)).decode().lower()}"
        with self._explained():
            self._database.execute("INSERT OR REPLACE INTO subject VALUES (?, ?, ?)", (kind, subject, pseudonym))
        self._count += 1
        return pseudonym

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StateError(
                f"the keys of the pseudonyms cannot be used: {error}",
                where=str(self._path),
                fix="Without them nobody can tell who the pseudonyms are; the log itself stays readable.",
            ) from None


_SCHEMA = """
    PRAGMA journal_mode=WAL;
    PRAGMA synchronous=NORMAL;
    PRAGMA secure_delete=ON;
    CREATE TABLE IF NOT EXISTS subject (
        kind TEXT NOT NULL, subject TEXT NOT NULL, pseudonym TEXT NOT NULL UNIQUE, PRIMARY KEY (kind, subject)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS link (
        user TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (user, address)
    ) WITHOUT ROWID;
"""


class Pseudonymiser:
    """Replaces names and addresses in records."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring

    def apply(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record as it may be written."""
        user = record.get("user") or ""
        address = record.get("client_ip") or ""
        if user and address:
            self.keyring.link(str(user), str(address))
        return {key: self._replaced(key, value, str(user)) for key, value in record.items()}

    def _replaced(self, key: str, value: Any, user: str) -> Any:
        if key in OWN_FIELDS or not value:
            return value
        if isinstance(value, tuple | list):
            return [self._replaced(key, one, user) for one in value]
        return self._text(key, value, user) if isinstance(value, str) else value

    def _text(self, key: str, text: str, user: str) -> str:
        if key in ADDRESS_FIELDS or (key in EITHER_FIELDS and _IPV4.match(text)):
            return self._address(text)
        if key in NAME_FIELDS or key in EITHER_FIELDS:
            return self.keyring.pseudonym(USER, text)
        if key == "target":
            text = _TARGET.sub(lambda found: found[1] + self.keyring.pseudonym(USER, found[2]), text)
        return self._scrubbed(text, user)

    def _address(self, text: str) -> str:
        """Replace an address, and leave a port behind it."""
        host, colon, port = text.partition(":")
        if colon and not port.isdigit():
            return self.keyring.pseudonym(ADDRESS, text)
        return f"{self.keyring.pseudonym(ADDRESS, host)}{colon}{port}"

    def _scrubbed(self, text: str, user: str) -> str:
        """Replace every address in a text, the user's name, and names that a packet told."""
        text = _RADIUS_NAME.sub(lambda found: f"{found[1]}{self.keyring.pseudonym(USER, found[2])}{found[3]}", text)
        text = _SAID_NAME.sub(lambda found: f"{found[1]}={self.keyring.pseudonym(USER, found[2])}", text)
        if user and user in text:
            name = re.compile(rf"(?<![\w-]){re.escape(user)}(?![\w-])")
            text = name.sub(lambda _: self.keyring.pseudonym(USER, user), text)
        return _IPV4.sub(lambda found: self.keyring.pseudonym(ADDRESS, found[0]), text)
