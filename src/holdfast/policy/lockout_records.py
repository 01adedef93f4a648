"""Failed logins and locks in the state database, for the gateway that comes after this one."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select

from holdfast.policy.lockout_changes import Kept
from holdfast.policy.schema import lockouts
from holdfast.policy.store import Store


class LockoutRecords:
    """The table of locks. Times are seconds since 1970. StateError when the database refuses; any thread may call."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> list[Kept]:
        """Return every entry, the one that was touched last at the end."""
        with self._store.read() as connection:
            rows = connection.execute(select(lockouts).order_by(lockouts.c.last)).all()
        return [Kept(row.kind, row.key, row.failures, row.last, row.locked_until) for row in rows]

    def write(self, changes: Sequence[Kept]) -> None:
        """Write entries and strike out those that are gone, all or nothing."""
        if not changes:
            return
        named = delete(lockouts).where(lockouts.c.kind == bindparam("_kind"), lockouts.c.key == bindparam("_key"))
        rows = [
            {
                "kind": one.table,
                "key": one.key,
                "failures": one.failures,
                "last": one.last,
                "locked_until": one.locked_until,
            }
            for one in changes
            if not one.gone
        ]
        with self._store.write() as connection:
            connection.execute(named, [{"_kind": one.table, "_key": one.key} for one in changes])
            if rows:
                connection.execute(insert(lockouts), rows)
