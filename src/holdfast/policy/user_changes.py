"""What was done to users, until the event log has it.

A command leaves its note in the transaction that makes the change: neither can be there without the other, also when
the machine dies or no gateway runs. The gateway, the only one that writes the log, takes the notes over when it is told
that there are some, and at its start (`gateway/user_changes.py`). The commands do not write the log themselves: they
know neither where the configuration put it nor its pseudonyms, and a chain has one writer.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from holdfast.policy.schema import user_changes
from holdfast.policy.store import Store


@dataclass(frozen=True, slots=True)
class Act:
    """What a command is about to do to users, such as `user set`; its details in words, never a secret; who asked."""

    action: str
    by: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserChange:
    """One change: its number, when (seconds since 1970), what was done to which user, and which account did it."""

    number: int
    at: float
    action: str
    user: str
    details: str
    by: str

    @property
    def target(self) -> str:
        """The user, and the details if there are any."""
        return f"{self.user}: {self.details}" if self.details else self.user


def note(connection: Connection, act: Act, user: str, at: float) -> None:
    """Leave a note in the transaction of a change."""
    details = ", ".join(act.details)
    values: dict[str, Any] = {"at": at, "action": act.action, "user": user, "details": details, "by": act.by}
    connection.execute(insert(user_changes).values(values))


class UserChanges:
    """The notes of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pending(self, limit: int) -> list[UserChange]:
        """Return what the log does not have yet, oldest first, at most so many."""
        question = select(user_changes).order_by(user_changes.c.number).limit(limit)
        with self._store.read() as connection:
            return [
                UserChange(row.number, row.at, row.action, row.user, row.details, row.by)
                for row in connection.execute(question)
            ]

    def done(self, last: int) -> None:
        """Strike out what the log has: everything up to this number."""
        with self._store.write() as connection:
            connection.execute(delete(user_changes).where(user_changes.c.number <= last))
