"""What changed in the tables of failed logins since it was last written down: each entry once.

As bounded as the tables are: an entry that goes before it was ever written leaves no trace here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """What is known of one account, source or both. `kept`: it is written down somewhere, perhaps as it was before."""

    failures: int = 0
    last: float = 0.0
    locked_until: float = 0.0
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is written down; `gone`: it is to be struck out. Times are on the caller's scale."""

    table: str
    key: bytes
    failures: int = 0
    last: float = 0.0
    locked_until: float = 0.0
    gone: bool = False


class Changes:
    """A set of changes. `wake` is called when it was empty and is so no more."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = _nobody
        self._changed: dict[tuple[str, bytes], Budget] = {}
        self._gone: dict[tuple[str, bytes], None] = {}

    def changed(self, table: str, key: bytes, budget: Budget) -> None:
        """An entry is new or other than before."""
        was_empty = not self
        self._changed[table, key] = budget
        if was_empty:
            self.wake()

    def gone(self, table: str, key: bytes, budget: Budget) -> None:
        """An entry is no more."""
        was_empty = not self
        self._changed.pop((table, key), None)
        if budget.kept:
            self._gone[table, key] = None
            if was_empty:
                self.wake()

    def take(self, most: int) -> list[Kept]:
        """Return at most so many changes, each as it is by now. What goes comes first: whoever writes them down never
        holds more than the tables do."""
        taken: list[Kept] = []
        while self._gone and len(taken) < most:
            table, key = next(iter(self._gone))
            del self._gone[table, key]
            taken.append(Kept(table, key, gone=True))
        while self._changed and len(taken) < most:
            table, key = next(iter(self._changed))
            budget = self._changed.pop((table, key))
            budget.kept = True
            taken.append(Kept(table, key, budget.failures, budget.last, budget.locked_until))
        return taken

    def give_back(self, changes: Iterable[Kept]) -> None:
        """They could not be written: the next `take` returns them, unless something newer is known."""
        for change in changes:
            place = change.table, change.key
            if change.gone:
                self._gone[place] = None
            elif place not in self._changed and place not in self._gone:
                self._changed[place] = Budget(change.failures, change.last, change.locked_until)

    def __len__(self) -> int:
        return len(self._changed) + len(self._gone)


def _nobody() -> None:
    """Nobody writes anything down."""
