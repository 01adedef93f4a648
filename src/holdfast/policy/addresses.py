"""Which address a session gets: never the same twice, and the old one again where that is possible.

The table in memory decides; the database remembers who had what, so that users keep their addresses over a restart.
What a predecessor left in use is free again when a gateway starts: its sessions are gone.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from sqlalchemy import delete, select, update

from holdfast.policy.ranges import Address, AddressRange, contains
from holdfast.policy.schema import leases
from holdfast.policy.state_changes import Batch, Lease, write
from holdfast.policy.store import Store

Dedications = Callable[[], Mapping[Address, str]]
"""Returns which addresses are dedicated, each to which user; asked once for each allocation."""


@dataclass(frozen=True, slots=True)
class PoolRules:
    """Where addresses come from. `never` are those that nobody gets (the gateway's own). `named`: pools beside it, for
    those who are sent there."""

    ranges: tuple[AddressRange, ...]
    never: tuple[Address, ...] = ()
    named: Mapping[str, tuple[AddressRange, ...]] = field(default_factory=dict)


class _Rounds:
    """Walks through ranges again and again, going on where it stopped, so that an address rests before it is reused."""

    def __init__(self, ranges: tuple[AddressRange, ...]) -> None:
        self._ranges, self._size, self._at = ranges, sum(map(len, ranges)), 0

    def __iter__(self) -> Iterator[Address]:
        for _ in range(self._size):
            offset, self._at = self._at, (self._at + 1) % self._size
            for part in self._ranges:
                if offset < len(part):
                    yield part.first + offset
                    break
                offset -= len(part)


@dataclass(frozen=True, slots=True)
class _Lease:
    session: str
    user: str


class AddressPool:
    """The addresses of one gateway. A session holds at most one; give it back with `release`."""

    def __init__(
        self,
        rules: PoolRules,
        store: Store,
        *,
        dedications: Dedications = dict,
        clock: Callable[[], float] = time.time,
        remember: Callable[[Lease], None] | None = None,
    ) -> None:
        """Start with what the database remembers; whatever it says to be in use is free from now on.

        `remember` is told what is to be written down; without it that is done at once.
        """
        self._rules, self._store, self._dedications, self._clock = rules, store, dedications, clock
        self._remember = remember or self._write
        self._in_use: dict[Address, _Lease] = {}
        self._held: dict[str, Address] = {}
        # Free addresses of the pool that were given before, each with its last user, the longest unused first.
        self._returned: OrderedDict[Address, str] = OrderedDict()
        self._last: dict[str, Address] = {}
        self._fresh = self._never_given()
        self._rounds = {name: _Rounds(ranges) for name, ranges in rules.named.items()}
        self._recall()

    def __len__(self) -> int:
        """Return how many addresses are in use."""
        return len(self._in_use)

    @property
    def size(self) -> int:
        """How many addresses all pools have."""
        return sum(map(len, self.ranges()))

    def allocate(
        self,
        session: str,
        user: str,
        dedicated: Sequence[AddressRange] = (),
        wish: Address | None = None,
        pool: str = "",
        *,
        may_choose: bool = False,
    ) -> Address | None:
        """Give the session an address, or None when there is none for it (`why_none` says it in words).

        `dedicated` are the only addresses that the user may have, where there are any; else those of the named `pool`
        (KeyError for one that is not there), without a name the others. `wish`: what the client asks for, which it gets
        if it is free there and is dedicated to the user or `may_choose` holds. A session that holds an address gets
        the same again. StateError when the database cannot be written; nothing is given then.
        """
        if session in self._held:
            return self._held[session]
        others = self._dedications()
        asked = wish if dedicated or may_choose else None
        for address in self._candidates(user, dedicated, asked, pool):
            if self._free_for(address, user, others):
                self._record(address, user, session)
                self._take(address, user, session)
                return address
        return None

    def release(self, session: str) -> Address | None:
        """Take back what the session holds, and return it; None when it holds nothing.

        StateError when the database cannot be written; the address is free all the same.
        """
        address = self._held.pop(session, None)
        if address is None:
            return None
        user = self._in_use.pop(address).user
        if contains(self._rules.ranges, address):
            self._returned[address] = user
        self._record(address, user, None)
        return address

    def ranges(self) -> list[AddressRange]:
        """Return what all pools hold."""
        return [part for ranges in (self._rules.ranges, *self._rules.named.values()) for part in ranges]

    def holder(self, address: Address) -> str | None:
        """Return the session that holds the address, or None."""
        lease = self._in_use.get(address)
        return lease.session if lease else None

    def why_none(self, user: str, dedicated: Sequence[AddressRange] = (), pool: str = "") -> str:
        """Say why `user` got no address."""
        if dedicated:
            return f"{', '.join(map(str, dedicated))} is dedicated to {user} and in use by another session"
        ranges = self._rules.named[pool] if pool else self._rules.ranges
        named = f"the pool {pool}" if pool else "the pool"
        return f"all {sum(map(len, ranges))} addresses of {named} are in use or dedicated to others"

    def _candidates(
        self, user: str, dedicated: Sequence[AddressRange], wish: Address | None, pool: str
    ) -> Iterator[Address]:
        """Name the addresses to try, the best first. Some may not be free."""
        allowed = dedicated or (self._rules.named[pool] if pool else self._rules.ranges)
        if wish is not None and contains(allowed, wish):
            yield wish
        last = self._last.get(user)
        if last is not None and contains(allowed, last):
            yield last
        if dedicated:
            yield from (address for part in dedicated for address in part)
            return
        if pool:
            yield from self._rounds[pool]
            return
        for address in self._fresh:
            # Whoever passes it over (it is dedicated to someone) finds it among the returned ones later.
            self._returned[address] = ""
            yield address
        yield from self._returned

    def _free_for(self, address: Address, user: str, others: Mapping[Address, str]) -> bool:
        return address not in self._in_use and address not in self._rules.never and others.get(address, user) == user

    def _take(self, address: Address, user: str, session: str) -> None:
        before = self._returned.pop(address, "")
        if before != user and self._last.get(before) == address:
            del self._last[before]
        self._in_use[address] = _Lease(session, user)
        self._held[session] = address
        self._last[user] = address

    def _never_given(self) -> Iterator[Address]:
        """Walk once through the pool, past what is known already."""
        for part in self._rules.ranges:
            for address in part:
                if address not in self._returned and address not in self._in_use:
                    yield address

    def _recall(self) -> None:
        with self._store.write() as connection:
            connection.execute(update(leases).where(leases.c.session.is_not(None)).values(session=None))
            rows = connection.execute(select(leases.c.address, leases.c.user).order_by(leases.c.since)).all()
            for row in rows:
                address = ip_address(row.address)
                if contains(self._rules.ranges, address):
                    self._returned[address] = row.user
                    self._last[row.user] = address
                elif any(contains(ranges, address) for ranges in self._rules.named.values()):
                    self._last[row.user] = address
                else:
                    connection.execute(delete(leases).where(leases.c.address == row.address))

    def _record(self, address: Address, user: str, session: str | None) -> None:
        self._remember(Lease(str(address), user, session, self._clock()))

    def _write(self, lease: Lease) -> None:
        write(self._store, Batch({lease.address: lease}))
