"""What is to be written into the accounting queue next: all of it or nothing. Plain values, no file here."""

from dataclasses import dataclass, field

from holdfast.radius.exchange_types import Sent


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record. `at`: when it was true, in seconds since 1970. `octets`: its attributes.

    `session`: its Acct-Session-Id, none (`""`) for what is said of the whole gateway. `update_only`: a later record
    says the same and more.
    """

    number: int
    at: float
    octets: bytes
    session: str = ""
    update_only: bool = False


@dataclass(frozen=True, slots=True)
class Flight:
    """How a record that is under way went out, and when first."""

    at: float
    sent: Sent


@dataclass(slots=True)
class Changes:
    """What happened since the last transaction, each fact in its last form."""

    added: dict[int, Waiting] = field(default_factory=dict)
    opened: dict[str, tuple[float, bytes, bytes]] = field(default_factory=dict)
    counted: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    closed: dict[str, None] = field(default_factory=dict)
    launched: dict[int, Flight] = field(default_factory=dict)
    removed: dict[int, None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        parts = (self.added, self.opened, self.counted, self.closed, self.launched, self.removed)
        return any(parts)

    def add(self, record: Waiting) -> None:
        """A record waits from now on."""
        self.added[record.number] = record

    def open(self, session: str, at: float, identity: bytes, last: bytes) -> None:
        """A session is open; `identity` and its `last` counts as octets of attributes."""
        self.opened[session] = (at, identity, last)
        self.counted.pop(session, None)

    def count(self, session: str, at: float, last: bytes) -> None:
        """An open session has these counts now."""
        if session in self.opened:
            self.opened[session] = (at, self.opened[session][1], last)
        else:
            self.counted[session] = (at, last)

    def close(self, session: str) -> None:
        """A session is over."""
        self.opened.pop(session, None)
        self.counted.pop(session, None)
        self.closed[session] = None

    def launch(self, number: int, flight: Flight) -> None:
        """A record is about to go out like this."""
        self.launched[number] = flight

    def remove(self, number: int) -> None:
        """A record waits no longer."""
        self.launched.pop(number, None)
        if self.added.pop(number, None) is None:
            self.removed[number] = None
