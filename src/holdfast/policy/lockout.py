"""Budgets for failed logins: first the answers become slow, then the source is locked for a while.

Nobody can lock out a user from elsewhere: a lock always concerns one source address, alone or together with one
account. What failures of an account from everywhere bring is a delay, for sources from which that account has not
signed in before. A source from which a user has signed in is not locked for that user by what its neighbours behind the
same NAT get wrong. Every table is bounded: a million addresses that try once each cost the memory of a fixed number.
"""

import hashlib
from dataclasses import dataclass

from holdfast.policy.bounded import Bounded

MOST_ENTRIES = 50_000
"""Entries of each table."""
LONGEST_DELAY = 4.0
"""Seconds. A client that waits longer asks again, which would only add work."""


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


@dataclass(slots=True)
class _Budget:
    failures: int = 0
    last: float = 0.0
    locked_until: float = 0.0


class Lockout:
    """Counts failed logins. `account` is the name that was claimed, `source` an address; `now` any monotonic scale."""

    def __init__(self, rules: LockoutRules, limit: int = MOST_ENTRIES) -> None:
        self.rules = rules
        self._pairs: Bounded[bytes, _Budget] = Bounded(limit)
        self._sources: Bounded[bytes, _Budget] = Bounded(limit)
        self._accounts: Bounded[bytes, _Budget] = Bounded(limit)
        self._known: Bounded[bytes, float] = Bounded(limit)

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
        self._known.put(_key(account, source), now)

    def unlock(self, account: str, source: str, now: float) -> bool:
        """Forget what failed at the source, of the account and in all; return whether it was locked there."""
        left = self.locked(account, source, now)
        self._pairs.drop(_key(account, source))
        self._sources.drop(_key("", source))
        return left > 0

    def __len__(self) -> int:
        """Return how many entries are kept in all."""
        return len(self._pairs) + len(self._sources) + len(self._accounts) + len(self._known)

    def _count(self, table: Bounded[bytes, _Budget], key: bytes, now: float) -> _Budget:
        budget = self._fresh(table.get(key), now) or _Budget()
        budget.failures += 1
        budget.last = now
        table.put(key, budget)
        return budget

    def _lock(self, budget: _Budget, limit: int, now: float) -> bool:
        """Lock at the limit. What is tried during a lock does not make it longer: a router that redials would never
        come back."""
        if not limit or budget.failures < limit or now < budget.locked_until:
            return False
        budget.locked_until = now + self.rules.lock_time
        return True

    def _fresh(self, budget: _Budget | None, now: float) -> _Budget | None:
        """Return the budget unless its lock is over, or its last failure so old that it starts anew."""
        if budget is None or now < budget.locked_until:
            return budget
        return None if budget.locked_until or now - budget.last > self.rules.window else budget

    def _left(self, budget: _Budget | None, now: float) -> float:
        return max(0.0, budget.locked_until - now) if budget is not None else 0.0

    def _wait(self, budget: _Budget | None, free: int) -> float:
        if budget is None or not free or budget.failures < free:
            return 0.0
        return min(LONGEST_DELAY, 0.25 * 2.0 ** min(budget.failures - free, 10))


def _key(*parts: str) -> bytes:
    """Names come from strangers and may be long: 16 octets stand for them."""
    text = "\0".join((parts[0].casefold(), *parts[1:]))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
