"""What is to be written down of addresses and open sessions: each once, the newest word of it.

No more waits than there are addresses and sessions, however long the database refuses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import bindparam, delete, insert

from holdfast.policy.schema import leases, sessions
from holdfast.policy.session_records import SessionRecord
from holdfast.policy.store import Store


@dataclass(frozen=True, slots=True)
class Lease:
    """Who had an address last; `session` while it is in use. `since`: seconds since 1970."""

    address: str
    user: str
    session: str | None
    since: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Some changes. A session without a record has ended."""

    leases: dict[str, Lease] = field(default_factory=dict)
    sessions: dict[str, SessionRecord | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.leases) + len(self.sessions)


class StateChanges:
    """A set of changes. `wake` is called when there is something new."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = _nobody
        self._waiting = Batch()

    def lease(self, change: Lease) -> None:
        """An address was given or came back."""
        self._waiting.leases[change.address] = change
        self.wake()

    def add(self, record: SessionRecord) -> None:
        """A session came up."""
        self._waiting.sessions[record.session] = record
        self.wake()

    def remove(self, session: str) -> None:
        """A session ended. One that nobody has written down yet needs no striking out."""
        if self._waiting.sessions.pop(session, None) is None:
            self._waiting.sessions[session] = None
        self.wake()

    def take(self) -> Batch:
        """Return everything that waits, and forget it."""
        taken, self._waiting = self._waiting, Batch()
        return taken

    def give_back(self, batch: Batch) -> None:
        """It could not be written: it waits again, but for what something newer is known of."""
        now = self._waiting
        ended = {session for session, record in now.sessions.items() if record is None}
        kept = {**batch.sessions, **now.sessions}
        never_written = {one for one in ended if batch.sessions.get(one) is not None}
        self._waiting = Batch(
            {**batch.leases, **now.leases}, {one: record for one, record in kept.items() if one not in never_written}
        )

    def __len__(self) -> int:
        return len(self._waiting)


def write(store: Store, batch: Batch) -> None:
    """Write changes, all or nothing. StateError when the database refuses; any thread may call."""
    given = [
        {"address": one.address, "user": one.user, "session": one.session, "since": one.since}
        for one in batch.leases.values()
    ]
    opened = [
        {
            "session": one.session,
            "user": one.user,
            "local_call_id": one.local_call_id,
            "address": one.address,
            "started": one.started,
        }
        for one in batch.sessions.values()
        if one is not None
    ]
    with store.write() as connection:
        if given:
            connection.execute(_FORGET_LEASE, [{"_address": address} for address in batch.leases])
            connection.execute(insert(leases), given)
        if batch.sessions:
            connection.execute(_FORGET_SESSION, [{"_session": session} for session in batch.sessions])
        if opened:
            connection.execute(insert(sessions), opened)


def _nobody() -> None:
    """Nobody writes anything down."""


_FORGET_LEASE = delete(leases).where(leases.c.address == bindparam("_address"))
_FORGET_SESSION = delete(sessions).where(sessions.c.session == bindparam("_session"))
