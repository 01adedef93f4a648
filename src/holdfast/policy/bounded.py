"""A table that forgets what was untouched for longest, so that no stranger can make it grow."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Bounded(Generic[Key, Value]):
    """Keeps the `limit` entries that were written or read last."""

    __slots__ = ("_entries", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return the entry and count it as touched."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: Key, value: Value) -> tuple[Key, Value] | None:
        """Write an entry; return the oldest, which went, when there were too many."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        return self._entries.popitem(last=False) if len(self._entries) > self._limit else None

    def drop(self, key: Key) -> Value | None:
        """Forget an entry and return it; one that is not there is fine."""
        return self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
