"""Users whom RADIUS let in lately, so that they may come back while no server answers.

What RADIUS tells a gateway about a password depends on the method. With PAP the gateway has seen the password itself,
and keeps its NT hash, sealed. A right answer by CHAP or MS-CHAP, the proof of the server and the MPPE keys fit one
challenge and no other: nothing of them can be kept that would judge the next one. For these users the cache knows only
that they were let in, and the local users must know their password. What RADIUS gave them (limits, filter, address)
holds again.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from holdfast.errors import StateError
from holdfast.policy.effective import KEYS, Layer
from holdfast.policy.radius_login import Grant
from holdfast.policy.schema import radius_cache
from holdfast.policy.store import Store
from holdfast.ppp.authentication_types import Exchange, PapExchange
from holdfast.ppp.crypto import nt_password_hash
from holdfast.secret import Secret

AGAIN = 0.1
"""Part of the time after which a user who comes back is written down anew."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A user who was let in. `nt_hash` None: RADIUS never told what would prove them."""

    nt_hash: Secret | None
    layer: Layer
    grant: Grant


class RadiusCache:
    """Keeps who was let in for so many seconds, in the state database. StateError when it cannot be used.

    Any thread may call.
    """

    def __init__(self, store: Store, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._store, self._seconds, self._clock = store, seconds, clock
        self._written: dict[str, tuple[float, bytes]] = {}
        self._lock = threading.Lock()

    def remember(self, exchange: Exchange, layer: Layer | None, grant: Grant) -> None:
        """RADIUS let this user in."""
        with self._lock:
            self._remember(exchange, layer, grant)

    def _remember(self, exchange: Exchange, layer: Layer | None, grant: Grant) -> None:
        now, user = self._clock(), exchange.user
        plain = _plain(exchange, layer, grant)
        at, before = self._written.get(user, (float("-inf"), b""))
        if before == plain and now < at + self._seconds * AGAIN:
            return
        sealed = self._store.sealer.seal(Secret(plain), _owner(user))
        with self._store.write() as connection:
            gone = (radius_cache.c.user == user) | (radius_cache.c.at < now - self._seconds)
            connection.execute(delete(radius_cache).where(gone))
            connection.execute(insert(radius_cache).values(user=user, at=now, sealed=sealed))
        self._written = {name: one for name, one in self._written.items() if one[0] > now - self._seconds}
        self._written[user] = (now, plain)

    def forget(self, user: str) -> None:
        """RADIUS said no."""
        with self._lock:
            self._written.pop(user, None)
            with self._store.write() as connection:
                connection.execute(delete(radius_cache).where(radius_cache.c.user == user))

    def recall(self, user: str) -> Remembered | None:
        """Return what is known of a user who was let in lately; None for all others."""
        with self._store.read() as connection:
            row = connection.execute(select(radius_cache).where(radius_cache.c.user == user)).one_or_none()
        if row is None or row.at < self._clock() - self._seconds:
            return None
        return _read(self._store.sealer.unseal(row.sealed, _owner(user)).reveal())


def _owner(user: str) -> str:
    return f"radius cache\0{user}"


def _plain(exchange: Exchange, layer: Layer | None, grant: Grant) -> bytes:
    nt_hash = nt_password_hash(exchange.password.reveal()).hex() if isinstance(exchange, PapExchange) else ""
    found: dict[str, Any] = {
        "nt_hash": nt_hash,
        "values": dict(layer.values) if layer else {},
        "origins": dict(layer.origins) if layer else {},
        "class": [one.hex() for one in grant.class_],
    }
    return json.dumps(found).encode()


def _read(plain: bytes) -> Remembered:
    """StateError for what another Holdfast wrote and this one does not understand."""
    try:
        found = json.loads(plain)
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in found["values"].items()}
        known = {key: value for key, value in values.items() if key in KEYS}
        grant = Grant(
            server="remembered",
            class_=tuple(bytes.fromhex(one) for one in found["class"]),
        )
        origins = {key: f"{found['origins'][key]} (remembered)" for key in known}
        nt_hash = Secret(bytes.fromhex(found["nt_hash"])) if found["nt_hash"] else None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StateError("what was remembered of a user whom RADIUS let in cannot be read") from None
    return Remembered(nt_hash, Layer(known, origins), grant)
