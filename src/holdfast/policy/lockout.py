"""Budgets for failed logins: first the answers become slow, then the source is locked for a while.

Nobody can lock out a user from elsewhere: a lock always concerns one source address, alone or together with one
account. What failures of an account from everywhere bring is a delay, for sources from which that account has not
signed in before. A source from which a user has signed in is not locked for that user by what its neighbours behind the
same NAT get wrong. Every table is bounded: a million addresses that try once each cost the memory of a fixed number.

What changes is noted (`changes`), so that somebody can write it down and give it back to the gateway that comes next
(`restore`).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.policy.bounded import Bounded
from holdfast.policy.lockout_changes import Budget, Changes, Kept
from holdfast.wire.text import composed

MOST_ENTRIES = 50_000
"""Entries of each table."""
LONGEST_DELAY = 4.0
"""Seconds. A client that waits longer asks again, which would only add work."""
HOME_MEMORY = 90 * 86400.0
"""Seconds after which a source from which a user signed in is not remembered over a restart any more."""


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """How much may fail. Counts of failures, times in seconds; 0 failures switches a budget off.

    `free`: failures of an account from one source without a delay; `per_account_and_source`, `per_source`: failures
    that lock; `window`: after so long without a failure the count starts over; `lock_time`: how long a lock lasts.
    """

    free: int = 3
    per_account_and_source: int = 10
    per_source: int = 50
    per_account: int = 100
    window: float = 900.0
    lock_time: float = 600.0


@dataclass(frozen=True, slots=True)
class Lock:
    """Someone was locked. `account` is empty for a whole source; `seconds` is how long it lasts."""

    account: str
    source: str
    failures: int
    seconds: float


class Lockout:
    """Counts failed logins. `account` is the name that was claimed, `source` an address; `now` any monotonic scale."""

    def __init__(self, rules: LockoutRules, limit: int = MOST_ENTRIES) -> None:
        self.rules = rules
        self.changes = Changes()
        self._pairs = _Table("pair", limit, self.changes)
        self._sources = _Table("source", limit, self.changes)
        self._accounts = _Table("account", limit, self.changes)
        self._known = _Table("known", limit, self.changes)

    def locked(self, account: str, source: str, now: float) -> float:
        """Return for how many seconds this account is still locked out at this source; 0 when it is not."""
        pair = self._left(self._pairs.get(_key(account, source)), now)
        if self._known.get(_key(account, source)) is not None:
            return pair
        return max(pair, self._left(self._sources.get(_key("", source)), now))

    def delay(self, account: str, source: str, now: float) -> float:
        """Return for how many seconds the next answer should wait."""
        pair = self._fresh(self._pairs.get(_key(account, source)), now)
        wait = self._wait(pair, self.rules.free)
        if self._known.get(_key(account, source)) is None:
            wait = max(wait, self._wait(self._fresh(self._accounts.get(_key(account)), now), self.rules.per_account))
        return wait

    def failed(self, account: str, source: str, now: float) -> list[Lock]:
        """Count a failed login; return the locks that it brought."""
        rules, locks = self.rules, []
        pair = self._count(self._pairs, _key(account, source), now)
        if self._lock(pair, rules.per_account_and_source, now):
            locks.append(Lock(account, source, pair.failures, rules.lock_time))
        at_source = self._count(self._sources, _key("", source), now)
        if self._lock(at_source, rules.per_source, now):
            locks.append(Lock("", source, at_source.failures, rules.lock_time))
        self._count(self._accounts, _key(account), now)
        return locks

    def succeeded(self, account: str, source: str, now: float) -> None:
        """Remember that the user is at home at this source, and forget what failed there."""
        self._pairs.drop(_key(account, source))
        self._known.change(_key(account, source), now)

    def unlock(self, account: str, source: str, now: float) -> bool:
        """Forget what failed at the source, of the account and in all; return whether it was locked there."""
        left = self.locked(account, source, now)
        self._pairs.drop(_key(account, source))
        self._sources.drop(_key("", source))
        return left > 0

    def __len__(self) -> int:
        """Return how many entries are kept in all."""
        return len(self._pairs) + len(self._sources) + len(self._accounts) + len(self._known)

    def restore(self, entries: Iterable[Kept], now: float) -> None:
        """Go on with what another gateway wrote down, the oldest first. What is over by `now` is struck out."""
        tables = {table.name: table for table in (self._pairs, self._sources, self._accounts, self._known)}
        for entry in entries:
            # A clock that was set meanwhile must not make a lock longer than it would be now.
            until = min(entry.locked_until, now + self.rules.lock_time)
            budget = Budget(entry.failures, min(entry.last, now), until, kept=True)
            table = tables.get(entry.table)
            if table is None or self._over(table, budget, now):
                self.changes.gone(entry.table, entry.key, budget)
            else:
                table.take_back(entry.key, budget)

    def _over(self, table: "_Table", budget: Budget, now: float) -> bool:
        if table is self._known:
            return now - budget.last > HOME_MEMORY
        return self._fresh(budget, now) is None

    def _count(self, table: "_Table", key: bytes, now: float) -> Budget:
        over = self._fresh(table.get(key), now) is None
        return table.change(key, now, failed=True, anew=over)

    def _lock(self, budget: Budget, limit: int, now: float) -> bool:
        """Lock at the limit. What is tried during a lock does not make it longer: a router that redials would never
        come back."""
        if not limit or budget.failures < limit or now < budget.locked_until:
            return False
        # `_count` has noted the entry as changed in this same moment.
        budget.locked_until = now + self.rules.lock_time
        return True

    def _fresh(self, budget: Budget | None, now: float) -> Budget | None:
        """Return the budget unless its lock is over, or its last failure so old that it starts anew."""
        if budget is None or now < budget.locked_until:
            return budget
        return None if budget.locked_until or now - budget.last > self.rules.window else budget

    def _left(self, budget: Budget | None, now: float) -> float:
        return max(0.0, budget.locked_until - now) if budget is not None else 0.0

    def _wait(self, budget: Budget | None, free: int) -> float:
        if budget is None or not free or budget.failures < free:
            return 0.0
        return min(LONGEST_DELAY, 0.25 * 2.0 ** min(budget.failures - free, 10))


class _Table:
    """One bounded table that notes what happens to its entries."""

    def __init__(self, name: str, limit: int, changes: Changes) -> None:
        self.name = name
        self._entries: Bounded[bytes, Budget] = Bounded(limit)
        self._changes = changes

    def get(self, key: bytes) -> Budget | None:
        return self._entries.get(key)

    def change(self, key: bytes, now: float, *, failed: bool = False, anew: bool = False) -> Budget:
        """Touch an entry, counting a failure if it is one; `anew` forgets what was counted before."""
        budget = self._entries.get(key) or Budget()
        if anew:
            budget.failures, budget.locked_until = 0, 0.0
        budget.failures += failed
        budget.last = now
        self._put(key, budget)
        self._changes.changed(self.name, key, budget)
        return budget

    def take_back(self, key: bytes, budget: Budget) -> None:
        """Put in an entry that is written down already."""
        self._put(key, budget)

    def drop(self, key: bytes) -> None:
        budget = self._entries.drop(key)
        if budget is not None:
            self._changes.gone(self.name, key, budget)

    def _put(self, key: bytes, budget: Budget) -> None:
        oldest = self._entries.put(key, budget)
        if oldest is not None:
            self._changes.gone(self.name, *oldest)

    def __len__(self) -> int:
        return len(self._entries)


def _key(*parts: str) -> bytes:
    """Names come from strangers and may be long: 16 octets stand for them."""
    text = "\0".join((composed(parts[0]).casefold(), *parts[1:]))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
