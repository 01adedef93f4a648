"""Who may open a control connection or a call: networks, counts, rates, and patience with clients that flap.

Everything here is decided before anybody has said who they are, from the address alone. What a user may do is decided
at the login (`holdfast.gateway.login`).
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from ipaddress import IPv4Network, ip_address

from holdfast.policy.bounded import Bounded

MOST_SOURCES = 50_000
"""Addresses whose flapping is remembered."""


class Barrier(StrEnum):
    """What kept a client out. The word stands in the event `LIMIT`."""

    DENIED_NETWORK = auto()
    NOT_ALLOWED_NETWORK = auto()
    DRAINING = auto()
    RADIUS_DOWN = auto()
    CONNECTIONS = auto()
    CONNECTIONS_PER_ADDRESS = auto()
    NEW_CONNECTIONS_PER_SECOND = auto()
    HALF_OPEN = auto()
    SESSIONS = auto()
    SESSIONS_PER_ADDRESS = auto()
    RECONNECTS = auto()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a client is kept out: the barrier, and a sentence for the log."""

    barrier: Barrier
    detail: str


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """Numbers of which 0 sets no limit; networks of which none allows or denies nobody in particular.

    `flaps`: sessions in a row shorter than `flap_time` seconds, after which a client must wait: `flap_wait` seconds
    first, twice as long each time, `longest_flap_wait` at most.
    """

    allow: tuple[IPv4Network, ...] = ()
    deny: tuple[IPv4Network, ...] = ()
    connections: int = 20_000
    connections_per_address: int = 0
    new_connections_per_second: int = 0
    half_open: int = 10_000
    sessions: int = 0
    sessions_per_address: int = 0
    flaps: int = 6
    flap_time: float = 30.0
    flap_wait: float = 5.0
    longest_flap_wait: float = 300.0


@dataclass(slots=True)
class _Flaps:
    count: int = 0
    until: float = 0.0


class _Tally:
    """How many there are of each address, and in all. Keeps no zeros: addresses are many."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self.total = 0

    def of(self, address: str) -> int:
        return self._counts.get(address, 0)

    def more(self, address: str) -> None:
        self._counts[address] = self.of(address) + 1
        self.total += 1

    def less(self, address: str) -> None:
        self.total -= 1
        if (left := self._counts.pop(address) - 1) > 0:
            self._counts[address] = left


class Admission:
    """Counts what is open and says who may come in. `now` is any monotonic scale of seconds."""

    def __init__(self, rules: AdmissionRules) -> None:
        self.rules = rules
        self._connections = _Tally()
        self._sessions = _Tally()
        self._half_open = 0
        self._flaps: Bounded[str, _Flaps] = Bounded(MOST_SOURCES)
        self._tokens = 0.0
        self._refilled: float | None = None

    # --- control connections -------------------------------------------------------------------------------

    def connection(self, address: str, now: float) -> Refused | None:
        """Judge a new control connection from `address`; None when it may come in, and then it counts."""
        refused = self._network(address) or self._room(address) or self._rate(now)
        if refused is None:
            self._connections.more(address)
        return refused

    def connection_closed(self, address: str) -> None:
        """A connection that came in is gone."""
        self._connections.less(address)

    def _network(self, address: str) -> Refused | None:
        client, rules = ip_address(address), self.rules
        for network in rules.deny:
            if client in network:
                return Refused(Barrier.DENIED_NETWORK, f"{address} is in {network}, which admission.deny names")
        if rules.allow and not any(client in network for network in rules.allow):
            return Refused(Barrier.NOT_ALLOWED_NETWORK, f"{address} is in no network that admission.allow names")
        return None

    def _room(self, address: str) -> Refused | None:
        rules, here = self.rules, self._connections.of(address)
        if self._connections.total >= rules.connections:
            return Refused(Barrier.CONNECTIONS, f"there are {rules.connections} control connections already")
        if rules.connections_per_address and here >= rules.connections_per_address:
            return Refused(
                Barrier.CONNECTIONS_PER_ADDRESS, f"{address} has {here} control connections, as many as it may"
            )
        return None

    def _rate(self, now: float) -> Refused | None:
        """A bucket that holds one second's worth: a burst of that size passes, a steady flood does not."""
        rate = self.rules.new_connections_per_second
        if not rate:
            return None
        since = now - self._refilled if self._refilled is not None else 1.0
        self._tokens = min(float(rate), self._tokens + since * rate)
        self._refilled = now
        if self._tokens < 1:
            return Refused(Barrier.NEW_CONNECTIONS_PER_SECOND, f"more than {rate} new control connections in a second")
        self._tokens -= 1
        return None

    # --- calls and sessions --------------------------------------------------------------------------------

    def call(self, address: str, now: float) -> Refused | None:
        """Judge a call request from `address`; None when it may be answered with yes, and then it counts."""
        refused = self._call_room(address) or self._patience(address, now)
        if refused is None:
            self._sessions.more(address)
            self._half_open += 1
        return refused

    def session_up(self) -> None:
        """A call that was half open carries traffic."""
        self._half_open -= 1

    def session_ended(self, address: str, lasted: float | None, now: float, *, flap: bool) -> None:
        """A session is gone. `lasted`: seconds since traffic was possible, None when it never was. `flap`: whether
        it ended by the client or the network, so that a short life counts against the client."""
        if lasted is None:
            self._half_open -= 1
        self._sessions.less(address)
        if flap and lasted is not None:
            self._note_flap(address, lasted, now)

    def _call_room(self, address: str) -> Refused | None:
        rules = self.rules
        here = self._sessions.of(address)
        if rules.half_open and self._half_open >= rules.half_open:
            return Refused(Barrier.HALF_OPEN, f"{self._half_open} calls are being set up, as many as may at a time")
        if rules.sessions and self._sessions.total >= rules.sessions:
            return Refused(Barrier.SESSIONS, f"there are {rules.sessions} sessions, as many as there may be")
        if rules.sessions_per_address and here >= rules.sessions_per_address:
            return Refused(Barrier.SESSIONS_PER_ADDRESS, f"{address} has {here} sessions, as many as it may")
        return None

    def _patience(self, address: str, now: float) -> Refused | None:
        """Let a flapping client wait. One that has a session open is let in: behind its NAT live others."""
        flaps = self._flaps.get(address)
        if flaps is None or now >= flaps.until or self._sessions.of(address):
            return None
        wait = flaps.until - now
        return Refused(
            Barrier.RECONNECTS,
            f"{flaps.count} sessions of {address} in a row lasted under {self.rules.flap_time:g} s; "
            f"it may come again in {wait:.1f} s",
        )

    def _note_flap(self, address: str, lasted: float, now: float) -> None:
        rules = self.rules
        if not rules.flaps or lasted >= rules.flap_time:
            self._flaps.drop(address)
            return
        flaps = self._flaps.get(address) or _Flaps()
        flaps.count += 1
        if flaps.count >= rules.flaps:
            doubled = rules.flap_wait * 2.0 ** min(flaps.count - rules.flaps, 30)
            flaps.until = now + min(rules.longest_flap_wait, doubled)
        self._flaps.put(address, flaps)

    def state(self) -> dict[str, int]:
        """Return what is counted as plain data."""
        return {
            "connections": self._connections.total,
            "sessions": self._sessions.total,
            "half_open": self._half_open,
        }
