"""How far each connection and session has come, and how long each step took."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.errors import DisconnectReason
from holdfast.events import (
    AuthenticationSucceeded,
    CallEstablished,
    Connected,
    ControlEstablished,
    Event,
    IpOpened,
    LcpOpened,
    MppeOpened,
)

CONTROL, CALL, LCP, AUTHENTICATION, ENCRYPTION, NETWORK = (
    "control",
    "call",
    "lcp",
    "authentication",
    "encryption",
    "network",
)
ORDER = (CONTROL, CALL, LCP, AUTHENTICATION, ENCRYPTION, NETWORK)
TOTAL = "total"
_RANK = {phase: rank for rank, phase in enumerate(ORDER)}

MAX_TRACKED = 200_000
"""Connections and sessions looked at; beyond it (which no gateway reaches) new ones are not timed."""

_REACHED: Mapping[type[Event], str] = {
    CallEstablished: CALL,
    LcpOpened: LCP,
    AuthenticationSucceeded: AUTHENTICATION,
    MppeOpened: ENCRYPTION,
    IpOpened: NETWORK,
}
TELLING = frozenset({Connected, ControlEstablished, *_REACHED})
"""The events that end a phase, or begin one: most do neither."""


@dataclass(slots=True)
class _Connection:
    connected: float
    last: float
    control_up: bool = False
    called: bool = False


@dataclass(slots=True)
class _Session:
    connected: float | None
    last: float
    reached: str = CONTROL
    up: bool = field(default=False)


class Phases:
    """Follows events. A phase counts once a session: a later negotiation of the same thing is no set-up."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._connections: dict[str, _Connection] = {}
        self._sessions: dict[str, _Session] = {}

    def reached(self, event: Event, context: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
        """Return the phases that `event` completes, each with its seconds."""
        phase = _REACHED.get(type(event))
        if phase is not None:
            return () if _is_ours(event) else self._advance(phase, context, self._clock())
        if isinstance(event, ControlEstablished):
            return self._control_up(context, self._clock())
        if isinstance(event, Connected) and len(self._connections) < MAX_TRACKED:
            now = self._clock()
            self._connections[context.get("connection", "")] = _Connection(now, now)
        return ()

    def _control_up(self, context: Mapping[str, Any], now: float) -> Sequence[tuple[str, float]]:
        connection = self._connections.get(context.get("connection", ""))
        if connection is None or connection.control_up:
            return ()
        took, connection.last, connection.control_up = now - connection.last, now, True
        return ((CONTROL, took),)

    def _advance(self, phase: str, context: Mapping[str, Any], now: float) -> Sequence[tuple[str, float]]:
        session = self._sessions.get(context.get("session", "")) or self._session(context, now)
        if session is None or _RANK[phase] <= _RANK[session.reached]:
            return ()
        took, session.last, session.reached = now - session.last, now, phase
        if phase == CALL and session.connected is None:
            return ()  # a later call of a connection begins whenever the client likes
        if phase == NETWORK and session.connected is not None:
            return (phase, took), (TOTAL, now - session.connected)
        return ((phase, took),)

    def _session(self, context: Mapping[str, Any], now: float) -> _Session | None:
        """Return what is known of a session from now on."""
        key = context.get("session", "")
        if not key or len(self._sessions) >= MAX_TRACKED:
            return None
        connection = self._connections.get(context.get("connection", ""))
        first = connection is not None and not connection.called
        if connection is not None:
            connection.called = True
        session = _Session(connection.connected, connection.last) if first and connection else _Session(None, now)
        self._sessions[key] = session
        return session

    def came_up(self, context: Mapping[str, Any]) -> bool:
        """Traffic is possible; return whether that is so for the first time in this session."""
        session = self._sessions.get(context.get("session", ""))
        if session is None or session.up:
            return False
        session.up = True
        return True

    def connection_closed(self, context: Mapping[str, Any]) -> bool:
        """Forget a connection; return whether it ended before the Start-Control-Connection exchange was done."""
        connection = self._connections.pop(context.get("connection", ""), None)
        return connection is not None and not connection.control_up

    def session_ended(self, context: Mapping[str, Any], reason: DisconnectReason) -> str:
        """Forget a session; return the phase in which it failed, empty when it had come up."""
        session = self._sessions.pop(context.get("session", ""), None)
        if session is None:
            return CALL
        if session.up:
            return ""
        if reason is DisconnectReason.ENCRYPTION_MISMATCH:
            return ENCRYPTION
        if session.reached == AUTHENTICATION:
            return NETWORK  # encryption may be optional: what did not come is the network
        return ORDER[ORDER.index(session.reached) + 1]


def _is_ours(event: Event) -> bool:
    """Whether this is our own proof towards a peer, which is no phase of a client's set-up."""
    return isinstance(event, AuthenticationSucceeded) and not event.by_peer
