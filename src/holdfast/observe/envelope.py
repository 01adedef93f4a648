"""What stands around a fact in its line, and how it is known: everything a connection and a session were found to be.

A machine emits facts without knowing where it stands; the driver says which session and connection. The rest is learnt
from the facts that went before.
"""

import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from holdfast.events import (
    AuthenticationFailed,
    AuthenticationSucceeded,
    CallEstablished,
    Connected,
    ControlClosed,
    ControlEstablished,
    Event,
    IpOpened,
    LcpOpened,
    MppeOpened,
    SessionEnded,
)

MOST_TRACKED = 200_000
"""Connections, and sessions, of which something is remembered; the oldest are forgotten beyond it."""
TCP = 6

PHASES: Mapping[type[Event], str] = {
    ControlEstablished: "control_seconds",
    CallEstablished: "call_seconds",
    LcpOpened: "lcp_seconds",
    AuthenticationSucceeded: "authentication_seconds",
    MppeOpened: "encryption_seconds",
    IpOpened: "network_seconds",
}
"""Each phase of a set-up, the event that ends it, and the field that says how long it took."""


@dataclass(slots=True)
class _Known:
    """What is known of a connection or session. `last` is when its last phase ended."""

    last: float
    facts: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)


class Envelopes:
    """Completes the envelope of each event. Used by one thread, in the order in which things happened."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._connections: OrderedDict[str, _Known] = OrderedDict()
        self._sessions: OrderedDict[str, _Known] = OrderedDict()

    def complete(self, event: Event, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the envelope with what earlier facts told; remember what this one tells."""
        connection_id = context.get("connection")
        if not connection_id:
            return context
        session_id = context.get("session")
        known = self._sessions.get(session_id) if session_id else self._connections.get(connection_id)
        if known is None:
            known = self._meet(connection_id, session_id)
        kind = type(event)
        if kind in _TELLING:
            self._learn(event, known, context)
        completed = {**known.facts, **context}
        if kind is SessionEnded:
            completed.update(known.phases)
            self._sessions.pop(str(session_id), None)
        elif kind is ControlClosed:
            self._connections.pop(connection_id, None)
        return completed

    def _meet(self, connection_id: str, session_id: str | None) -> _Known:
        """Begin to remember a connection or a session; a session starts with what its connection was found to be."""
        connection = self._of(self._connections, connection_id)
        if not session_id:
            return connection
        known = self._of(self._sessions, session_id)
        known.last, known.facts, known.phases = connection.last, dict(connection.facts), dict(connection.phases)
        return known

    def _of(self, table: "OrderedDict[str, _Known]", key: str) -> _Known:
        known = table.get(key)
        if known is None:
            known = table[key] = _Known(self._clock())
            if len(table) > MOST_TRACKED:
                table.popitem(last=False)
        return known

    def _learn(self, event: Event, known: _Known, context: Mapping[str, Any]) -> None:
        phase = PHASES.get(type(event))
        if phase is not None and phase not in known.phases:
            now = self._clock()
            known.phases[phase] = round(now - known.last, 3)
            known.last = now
        learn = _LESSONS.get(type(event))
        if learn is not None:
            known.facts.update(learn(event, context))


def _connected(event: Connected, _context: Mapping[str, Any]) -> dict[str, Any]:
    return {"interface": event.interface, "correlation": community_id(event.client, event.server)}


def _lcp(event: LcpOpened, context: Mapping[str, Any]) -> dict[str, Any]:
    # The packet engine takes GRE for a call only from the address that the call was made with; LCP came over GRE.
    return {"local_mru": event.local_mru, "peer_mru": event.peer_mru, "gre_ip": context.get("client_ip")}


def _accepted(event: AuthenticationSucceeded, _context: Mapping[str, Any]) -> dict[str, Any]:
    return {"method": event.method, "result_code": 0} if event.by_peer else {}


def _refused(event: AuthenticationFailed, _context: Mapping[str, Any]) -> dict[str, Any]:
    return {"method": event.method, "result_code": event.result_code} if event.by_peer else {}


def _encrypted(event: MppeOpened, _context: Mapping[str, Any]) -> dict[str, Any]:
    return {"mppe_bits": event.bits, "mppe_mode": event.mode}


def _addressed(event: IpOpened, _context: Mapping[str, Any]) -> dict[str, Any]:
    return {"address": event.peer_address}


_LESSONS: Mapping[type[Event], Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {
    Connected: _connected,
    LcpOpened: _lcp,
    AuthenticationSucceeded: _accepted,
    AuthenticationFailed: _refused,
    MppeOpened: _encrypted,
    IpOpened: _addressed,
}
_TELLING = frozenset({*PHASES, *_LESSONS})
"""The events from which something is learnt: most are none of them."""


def community_id(client: str, server: str) -> str:
    """Return the Community ID, version 1, of a TCP connection between two `address:port`; "" when they are none.

    Zeek, Suricata, Elastic and others compute the same from what they see on the wire, so their records can be found.
    """
    try:
        ends = sorted((_packed(client), _packed(server)))
    except (ValueError, AddressValueError):
        return ""
    (first, first_port), (second, second_port) = ends
    octets = bytes(2) + first + second + bytes((TCP, 0)) + first_port + second_port
    return "1:" + b64encode(sha1(octets, usedforsecurity=False).digest()).decode()


def _packed(end: str) -> tuple[bytes, bytes]:
    host, _, port = end.rpartition(":")
    number = int(port)
    if not 0 <= number <= 65535:
        raise ValueError("no port")
    return IPv4Address(host).packed, number.to_bytes(2, "big")
