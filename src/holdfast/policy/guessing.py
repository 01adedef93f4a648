"""Attacks on passwords that spread out: one source that tries many accounts, one account tried from many sources.

The budgets of `holdfast.policy.lockout` see one source or one pair at a time and name neither: a spray stays below what
each account is allowed, a botnet below what each source is. Here is only noticed who is at work; who is kept out is
decided there. Every table is bounded, and an entry remembers at most `MOST_OTHERS` of the others that it met.
"""

import hashlib
from dataclasses import dataclass

from holdfast.policy.bounded import Bounded
from holdfast.wire.text import composed

MOST_ENTRIES = 50_000
"""Sources, and accounts, that are watched at a time; whoever was quiet for longest is forgotten first."""
MOST_OTHERS = 64
"""Accounts of one source, or sources of one account, that are told apart."""
DIGEST = 4
"""Octets that stand for one of them: enough to tell 64 apart."""


@dataclass(frozen=True, slots=True)
class GuessingRules:
    """From how many on it is told; 0 is never.

    `window`: seconds without a failure after which counting starts over, and the least time between two tellings of the
    same.
    """

    accounts_of_source: int = 10
    sources_of_account: int = 20
    window: float = 900.0


@dataclass(frozen=True, slots=True)
class Spray:
    """Logins of `accounts` different accounts failed from `source`, `failures` in all within `seconds`."""

    source: str
    accounts: int
    failures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Siege:
    """Logins of `account` failed from `sources` different sources, `failures` in all within `seconds`."""

    account: str
    sources: int
    failures: int
    seconds: float


@dataclass(slots=True)
class _Trail:
    first: float
    last: float
    failures: int = 0
    others: bytes = b""
    quiet_until: float = 0.0

    @property
    def different(self) -> int:
        return len(self.others) // DIGEST

    def note(self, other: bytes, now: float) -> None:
        self.last = now
        self.failures += 1
        seen = (self.others[at : at + DIGEST] for at in range(0, len(self.others), DIGEST))
        if self.different < MOST_OTHERS and other not in seen:
            self.others += other

    def start_over(self, now: float) -> None:
        self.first, self.failures, self.others = now, 0, b""


class Guessing:
    """Watches failed logins. `account` is the name that was claimed, `source` an address; `now` any monotonic scale."""

    def __init__(self, rules: GuessingRules, limit: int = MOST_ENTRIES) -> None:
        self.rules = rules
        self._sources: Bounded[bytes, _Trail] = Bounded(limit)
        self._accounts: Bounded[bytes, _Trail] = Bounded(limit)

    def failed(self, account: str, source: str, now: float) -> list[Spray | Siege]:
        """Take note of a failed login; return what is to be told about it."""
        rules, name, place = self.rules, _digest(composed(account).casefold()), _digest(source)
        told: list[Spray | Siege] = []
        at_source = self._noted(self._sources, place, name, now)
        if self._due(at_source, rules.accounts_of_source, now):
            told.append(Spray(source, *self._summary(at_source, now)))
        of_account = self._noted(self._accounts, name, place, now)
        if self._due(of_account, rules.sources_of_account, now):
            told.append(Siege(account, *self._summary(of_account, now)))
        return told

    def __len__(self) -> int:
        """Return how many entries are kept in all."""
        return len(self._sources) + len(self._accounts)

    def _noted(self, table: Bounded[bytes, _Trail], key: bytes, other: bytes, now: float) -> _Trail:
        trail = table.get(key) or _Trail(now, now)
        if now - trail.last > self.rules.window:
            trail.start_over(now)
        trail.note(other[:DIGEST], now)
        table.put(key, trail)
        return trail

    def _due(self, trail: _Trail, enough: int, now: float) -> bool:
        return 0 < min(enough, MOST_OTHERS) <= trail.different and now >= trail.quiet_until

    def _summary(self, trail: _Trail, now: float) -> tuple[int, int, float]:
        """Return what the trail says, and begin a new one: what comes next is told at the end of the window."""
        summary = trail.different, trail.failures, round(now - trail.first, 3)
        trail.quiet_until = now + self.rules.window
        trail.start_over(now)
        return summary


def _digest(text: str) -> bytes:
    """Names come from strangers and may be long: 16 octets stand for them."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
