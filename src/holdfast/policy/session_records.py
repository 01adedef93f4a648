"""The sessions of the gateway that runs, written down for the one that comes after a crash."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import bindparam, delete, insert, select

from holdfast.policy.schema import sessions
from holdfast.policy.store import Store


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What a crash would leave behind of a session. `started`: seconds since 1970."""

    session: str
    user: str
    local_call_id: int
    address: str | None
    started: float


class SessionNotes(Protocol):
    """Whoever writes sessions down."""

    def add(self, record: SessionRecord) -> None:
        """Write down a session that came up."""

    def remove(self, session: str) -> None:
        """Strike out a session that ended; one that is not there is fine."""


class SessionRecords:
    """The table of sessions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, record: SessionRecord) -> None:
        """Write down a session that came up."""
        with self._store.write() as connection:
            connection.execute(
                insert(sessions).values(
                    session=record.session,
                    user=record.user,
                    local_call_id=record.local_call_id,
                    address=record.address,
                    started=record.started,
                )
            )

    def remove(self, session: str) -> None:
        """Strike out a session that ended; one that is not there is fine."""
        with self._store.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.session == session))

    def leftovers(self) -> list[SessionRecord]:
        """Return what a predecessor left behind, oldest first."""
        with self._store.read() as connection:
            rows = connection.execute(select(sessions).order_by(sessions.c.started)).all()
        return [SessionRecord(row.session, row.user, row.local_call_id, row.address, row.started) for row in rows]

    def forget(self, records: Iterable[SessionRecord]) -> None:
        """Strike out sessions."""
        names = [{"_session": record.session} for record in records]
        if names:
            with self._store.write() as connection:
                connection.execute(delete(sessions).where(sessions.c.session == bindparam("_session")), names)
