"""Users in the embedded database."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from holdfast.errors import HoldfastError
from holdfast.policy.names import acceptable_name
from holdfast.policy.ranges import Address, AddressRange
from holdfast.policy.records import Credentials, SecretKind, UserRecord
from holdfast.policy.schema import meta, user_policies, users
from holdfast.policy.store import Store
from holdfast.policy.user_changes import Act, note
from holdfast.secret import Secret

SOURCE = "database"
_CHANGE_KEY = "users-change"
_DECOY = "decoy"


class NoSuchUserError(HoldfastError):
    """The user is not in the database."""


class UserExistsError(HoldfastError):
    """The name or the address is taken."""


class Users:
    """The users of one store. Every change is seen at once by whoever else has the store open.

    With an `act` each change leaves a note for the event log: what was done, and who did it.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time, *, act: Act | None = None) -> None:
        self._store, self._clock, self._act = store, clock, act
        self._decoy = store.sealer.seal(Secret(b""), _DECOY)
        self._dedicated: dict[Address, str] = {}
        self._seen: bytes | None = None

    def add(
        self,
        name: str,
        secret: Secret,
        kind: SecretKind = SecretKind.PASSWORD,
        *,
        address: Address | None = None,
        expires: float | None = None,
    ) -> UserRecord:
        """Add a user. UserExistsError when name or address is taken, UnacceptableError when the name is not one."""
        name, now = acceptable_name(name), self._clock()
        values = {
            "name": name,
            "kind": kind,
            "sealed": self._store.sealer.seal(secret, _owner(name, kind)),
            "disabled": False,
            "address": str(address) if address else None,
            "expires": expires,
            "created": now,
            "changed": now,
        }
        try:
            with self._store.write() as connection:
                connection.execute(insert(users).values(values))
                self._changed(connection, name)
        except IntegrityError:
            raise self._taken(name, address) from None
        return self.get(name)

    def check_free(self, name: str, address: Address | None = None) -> None:
        """Raise UserExistsError now when `add` would, before anybody is asked for a password."""
        if self._row(select(users.c.name).where(users.c.name == acceptable_name(name))) or (
            address is not None and self.holder_of(address) is not None
        ):
            raise self._taken(name, address)

    def change_secret(self, name: str, secret: Secret, kind: SecretKind = SecretKind.PASSWORD) -> None:
        """Give a user another password or hash."""
        name = acceptable_name(name)
        self._update(name, kind=kind, sealed=self._store.sealer.seal(secret, _owner(name, kind)))

    def set_disabled(self, name: str, disabled: bool) -> None:
        """Close or open an account; its secret stays."""
        self._update(acceptable_name(name), disabled=disabled)

    def set_address(self, name: str, address: Address | None) -> None:
        """Dedicate an address to a user, or none."""
        self.change(name, address=address)

    def set_expires(self, name: str, expires: float | None) -> None:
        """Let an account end at that time (seconds since 1970), or never."""
        self.change(name, expires=expires)

    def change(self, name: str, **given: Any) -> None:
        """Change `address`, `expires` or both of a user, at once; None takes one away."""
        values = dict(given)
        if (address := values.get("address")) is not None:
            values["address"] = str(address)
        try:
            self._update(acceptable_name(name), **values)
        except IntegrityError:
            raise self._taken(None, address) from None

    def set_policy(self, name: str, *, group: str | None = None, settings: Mapping[str, Any] | None = None) -> None:
        """Put a user into a group (none for an empty name) or change single settings; None takes a setting away.

        The settings are plain data that `read_overrides` took.
        """
        record = self.get(name)
        merged = {**record.settings, **(settings or {})}
        values = {
            "group": record.group if group is None else group,
            "settings": json.dumps({key: value for key, value in merged.items() if value is not None}),
        }
        with self._store.write() as connection:
            connection.execute(delete(user_policies).where(user_policies.c.name == record.name))
            if values != {"group": "", "settings": "{}"}:
                connection.execute(insert(user_policies).values(name=record.name, **values))
            self._changed(connection, record.name)

    def remove(self, name: str) -> None:
        """Forget a user."""
        name = acceptable_name(name)
        with self._store.write() as connection:
            found = connection.execute(delete(users).where(users.c.name == name)).rowcount
            if not found:
                raise _unknown(name)
            connection.execute(delete(user_policies).where(user_policies.c.name == name))
            self._changed(connection, name)

    def get(self, name: str) -> UserRecord:
        """Return a user, or raise NoSuchUserError."""
        row = self._row(_PUBLIC.where(users.c.name == acceptable_name(name)))
        if row is None:
            raise _unknown(name)
        return _record(row)

    def list(self) -> list[UserRecord]:
        """Return all users by name."""
        with self._store.read() as connection:
            return [_record(row) for row in connection.execute(_PUBLIC.order_by(users.c.name))]

    def count(self) -> int:
        """Return how many users there are."""
        with self._store.read() as connection:
            return connection.execute(select(func.count()).select_from(users)).scalar_one()

    def find(self, name: str) -> Credentials | None:
        """Return the user and the opened secret, or None. The name must be in stored form (`lookup_name`)."""
        row = self._row(_WITH_SECRET, {"wanted": name})
        if row is None:
            # The same work as for a user that exists, so that time tells nothing.
            self._store.sealer.unseal(self._decoy, _DECOY)
            return None
        record = _record(row)
        return Credentials(record, self._store.sealer.unseal(row.sealed, _owner(name, record.kind)))

    def holder_of(self, address: Address) -> str | None:
        """Return the name of the user to whom the address is dedicated, or None."""
        row = self._row(select(users.c.name).where(users.c.address == str(address)))
        return None if row is None else row.name

    def dedicated(self) -> Mapping[Address, str]:
        """Return the dedicated addresses and their users. Cheap while no user changes."""
        with self._store.read() as connection:
            change = connection.execute(_LAST_CHANGE).scalar()
            if change != self._seen:
                rows = connection.execute(select(users.c.address, users.c.name).where(users.c.address.is_not(None)))
                self._dedicated = {ip_address(row.address): row.name for row in rows}
                self._seen = change
        return self._dedicated

    def _row(self, question: Select[Any], values: dict[str, str] | None = None) -> Row[Any] | None:
        with self._store.read() as connection:
            return connection.execute(question, values or {}).first()

    def _update(self, name: str, **values: Any) -> None:
        with self._store.write() as connection:
            change = update(users).where(users.c.name == name).values(changed=self._clock(), **values)
            if not connection.execute(change).rowcount:
                raise _unknown(name)
            self._changed(connection, name)

    def _changed(self, connection: Connection, name: str) -> None:
        _note_change(connection)
        if self._act is not None:
            note(connection, self._act, name, self._clock())

    def _taken(self, name: str | None, address: Address | None) -> UserExistsError:
        if name is not None and self._row(select(users.c.name).where(users.c.name == name)):
            return UserExistsError(
                f"there is a user {name!r} already", fix=f"For a new password: holdfast user passwd {name}"
            )
        holder = self.holder_of(address) if address else None
        return UserExistsError(f"{address} belongs to user {holder!r}", fix="Choose another address.")


_COLUMNS = (
    users.c.name,
    users.c.kind,
    users.c.disabled,
    users.c.address,
    users.c.expires,
    users.c.created,
    users.c.changed,
    user_policies.c.group,
    user_policies.c.settings,
)
_WITH_POLICIES = users.outerjoin(user_policies, users.c.name == user_policies.c.name)
_PUBLIC = select(*_COLUMNS).select_from(_WITH_POLICIES)
_WITH_SECRET = select(*_COLUMNS, users.c.sealed).select_from(_WITH_POLICIES).where(users.c.name == bindparam("wanted"))
_LAST_CHANGE = select(meta.c.value).where(meta.c.key == _CHANGE_KEY)


def _record(row: Any) -> UserRecord:
    addresses = (AddressRange.single(ip_address(row.address)),) if row.address else ()
    return UserRecord(
        row.name,
        SecretKind(row.kind),
        SOURCE,
        row.disabled,
        addresses,
        row.expires,
        row.created,
        row.changed,
        group=row.group or "",
        settings=json.loads(row.settings) if row.settings else {},
    )


def _note_change(connection: Connection) -> None:
    """Leave a new mark, by which every process sees that what it remembers of users is old."""
    mark = secrets.token_bytes(8)
    if not connection.execute(update(meta).where(meta.c.key == _CHANGE_KEY).values(value=mark)).rowcount:
        connection.execute(insert(meta).values(key=_CHANGE_KEY, value=mark))


def _owner(name: str, kind: SecretKind) -> str:
    """Name what a sealed secret belongs to: it opens for this user and as this kind only."""
    return f"user {kind} {name}"


def _unknown(name: str) -> NoSuchUserError:
    return NoSuchUserError(f"there is no user {name!r}", fix="See: holdfast user list")
