"""Packet-level detail for some users, addresses or sessions, switched while the gateway runs."""

from collections.abc import Mapping
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.events import AdminActed, AuthenticationSucceeded, Connected, Event, SessionStarted
from holdfast.gateway.connection import ControlConnection
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.subscriber import Subscriber
from holdfast.local_api import Handler, caller
from holdfast.observe.event_log import EventLog
from holdfast.wire.text import composed

KINDS: Mapping[str, str] = {"user": "user", "address": "client_ip", "session": "session"}
"""What can be named, and the field of the envelope that holds it."""
MOST = 100
"""Choices at a time: this is for a closer look, not for everybody."""


class Tracing:
    """Knows who is traced, and tells the protocol machines."""

    def __init__(self, gateway: Gateway, log: EventLog) -> None:
        self._gateway = gateway
        self._chosen: set[tuple[str, str]] = set()
        log.traced = self.matches
        log.observers.append(self._observe)

    def verbs(self) -> dict[str, Handler]:
        """Return the verb for the control socket."""
        return {"trace": self.trace}

    async def trace(self, request: dict[str, Any]) -> list[dict[str, str]]:
        """Begin (or, with `off`, end) to trace `user`, `address` or `session`; answer who is traced now."""
        named = {(kind, composed(str(request[kind]))) for kind in KINDS if request.get(kind)}
        off = bool(request.get("off"))
        if not off and len(self._chosen | named) > MOST:
            raise HoldfastError(f"more than {MOST} are traced", fix="End some: holdfast events trace --off")
        if off:
            self._chosen -= named or set(self._chosen)
        else:
            self._chosen |= named
        if named or off:
            words = ", ".join(f"{kind} {value}" for kind, value in sorted(named)) or "everybody"
            self._gateway.report(AdminActed("trace off" if off else "trace", words, caller()), {})
            self._apply_to_all()
        return [{"kind": kind, "value": value} for kind, value in sorted(self._chosen)]

    def matches(self, context: Mapping[str, Any]) -> bool:
        """Whether something with this envelope is traced."""
        if not self._chosen:
            return False
        return any((kind, context.get(field)) in self._chosen for kind, field in KINDS.items())

    def _observe(self, event: Event, context: Mapping[str, Any]) -> None:
        """Look at who comes; nothing is to be done for those who are there."""
        if not self._chosen or not isinstance(event, Connected | SessionStarted | AuthenticationSucceeded):
            return
        if isinstance(event, Connected):
            identity = context.get("connection")
            self._apply(*(one for one in self._gateway.connections if one.connection_id == identity))
        elif subscriber := self._gateway.subscribers.get(str(context.get("session"))):
            self._apply_to_session(subscriber)

    def _apply_to_all(self) -> None:
        self._apply(*self._gateway.connections)
        for subscriber in self._gateway.subscribers.values():
            self._apply_to_session(subscriber)

    def _apply(self, *connections: ControlConnection) -> None:
        for connection in connections:
            contexts = [connection.context(), *(one.context() for one in connection.subscribers.values())]
            connection.trace(self._gateway.settings.control.trace_messages or any(map(self.matches, contexts)))

    def _apply_to_session(self, subscriber: Subscriber) -> None:
        subscriber.session.trace = self._gateway.settings.link.trace or self.matches(subscriber.context())
        self._apply(subscriber.connection)
