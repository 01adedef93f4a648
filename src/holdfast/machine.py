"""The face that every protocol machine shares, and its named timers.

A machine does no I/O, reads no clock and draws no random numbers: `now` (seconds on any monotonic scale) and
entropy are arguments. It is fed with `receive` and verbs such as `open(now)`, and drained with `outgoing()`,
`commands()` and `events()`. A peer can never make `receive` raise.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from holdfast.events import Event

Entropy = Callable[[int], bytes]
"""Returns that many octets of randomness (`secrets.token_bytes` in production, a seeded stream in tests)."""

Name = TypeVar("Name")


class Machine(Protocol):
    """What one driver needs of any protocol machine."""

    def receive(self, data: bytes, now: float) -> None:
        """Take octets from the peer; never raises for what a peer sent."""

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next, or None."""

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due at `now`."""

    def outgoing(self) -> list[bytes]:
        """Drain what must be sent to the peer, in order."""

    def commands(self) -> list[Any]:
        """Drain the needs that only someone with I/O can meet."""

    def events(self) -> list[Event]:
        """Drain the facts that happened."""


class Timers(Generic[Name]):
    """A named table of deadlines. Starting a timer that runs restarts it; stopping one that does not is fine."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due: dict[Name, float] = {}

    def start(self, name: Name, at: float) -> None:
        """Let `name` expire at `at` seconds."""
        self._due[name] = at

    def stop(self, name: Name) -> None:
        """Forget `name`."""
        self._due.pop(name, None)

    def stop_all(self) -> None:
        """Forget every timer."""
        self._due.clear()

    def running(self, name: Name) -> bool:
        """Whether `name` is due some time."""
        return name in self._due

    @property
    def deadline(self) -> float | None:
        """The earliest expiry, or None."""
        return min(self._due.values()) if self._due else None

    def expired(self, now: float) -> list[Name]:
        """Remove and return the timers that are due at `now`, earliest first."""
        due = sorted((at, index, name) for index, (name, at) in enumerate(self._due.items()) if at <= now)
        for _, _, name in due:
            del self._due[name]
        return [name for _, _, name in due]

    def snapshot(self) -> list[tuple[Name, float]]:
        """Return the table as plain data."""
        return list(self._due.items())

    def restore(self, table: Iterable[tuple[Name, float]]) -> None:
        """Replace the table by what `snapshot` returned."""
        self._due = dict(table)


def earliest(deadlines: Iterable[float | None]) -> float | None:
    """Return the smallest of the deadlines that exist."""
    return min((deadline for deadline in deadlines if deadline is not None), default=None)
