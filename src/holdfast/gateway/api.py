"""The verbs that the gateway serves on its control socket, and the plain data that they answer with."""

import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast import __version__
from holdfast.dataplane.interface import Counters, PacketEngine
from holdfast.errors import DisconnectReason, HoldfastError
from holdfast.events import AdminActed
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.paths import described
from holdfast.gateway.subscriber import Subscriber
from holdfast.local_api import Handler, caller
from holdfast.wire.text import composed


class GatewayApi:
    """`status`, `sessions`, `disconnect`."""

    def __init__(self, gateway: Gateway, engine: PacketEngine, listen: tuple[str, ...]) -> None:
        self._gateway = gateway
        self._engine = engine
        self._listen = listen

    def verbs(self) -> dict[str, Handler]:
        """Return the verbs by name."""
        return {"status": self.status, "sessions": self.sessions, "disconnect": self.disconnect, "record": self.record}

    async def status(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Answer how the gateway as a whole is."""
        gateway, lockout = self._gateway, self._gateway.logins.lockout
        return {
            "version": __version__,
            "pid": os.getpid(),
            "since": gateway.started.isoformat(timespec="seconds"),
            "uptime": round((datetime.now(UTC) - gateway.started).total_seconds(), 1),
            "listen": list(self._listen),
            "tun": self._engine.tun_name,
            "draining": gateway.draining,
            "connections": len(gateway.connections),
            "sessions": gateway.count_by_state(),
            "addresses": gateway.address_use(),
            "event_log": gateway.log_state(),
            "lockouts": {"remembered": len(lockout), "unsaved": len(lockout.changes)},
            "radius": gateway.logins.remote.state() if gateway.logins.remote else [],
            "accounting": gateway.accounting_state(),
            "engine": _counters(self._engine.totals()),
        }

    async def sessions(self, _request: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer who is on, oldest first."""
        now = self._gateway.now()
        subscribers = sorted(self._gateway.subscribers.values(), key=lambda subscriber: subscriber.started)
        return [self._describe(subscriber, now) for subscriber in subscribers]

    async def disconnect(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """End the sessions named by `session` (an id, or the beginning or end of one) or by `user`; answer which."""
        chosen = self._choose(request.get("session"), request.get("user"))
        for subscriber in chosen:
            acted = AdminActed("disconnect", subscriber.session.session_id, caller())
            self._gateway.report(acted, subscriber.context())
            self._gateway.close_session(subscriber, DisconnectReason.ADMIN, "an administrator ended the session")
        return [{"id": subscriber.session.session_id, "user": subscriber.user} for subscriber in chosen]

    async def record(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer what a live capture of the session named by `session` must look for, and note that it is made."""
        chosen = self._choose(request.get("session"), None)
        if not chosen:
            raise HoldfastError("there is no such session", fix="holdfast sessions lists them.")
        (subscriber,) = chosen
        action = "record with user packets" if request.get("full") is True else "record"
        self._gateway.report(AdminActed(action, subscriber.session.session_id, caller()), subscriber.context())
        return {
            "id": subscriber.session.session_id,
            "client_ip": subscriber.connection.client,
            "server_ip": subscriber.connection.server,
            "local_call_id": subscriber.local_call_id,
            "peer_call_id": subscriber.peer_call_id,
        }

    def _choose(self, session: Any, user: Any) -> list[Subscriber]:
        everyone = self._gateway.subscribers
        if isinstance(user, str) and user:
            return [subscriber for subscriber in everyone.values() if subscriber.user == composed(user)]
        if not isinstance(session, str) or not session:
            raise HoldfastError("name a session or a user")
        return self._gateway.matching(session)

    def _describe(self, subscriber: Subscriber, now: float) -> dict[str, Any]:
        counters = self._engine.counters(subscriber.carrier.handle)
        active = max(counters.last_user_in, counters.last_user_out)
        return {
            **subscriber.session.status(),
            "user": subscriber.user,
            "client_ip": subscriber.connection.client,
            "server_ip": subscriber.connection.server,
            "address": subscriber.address,
            "since": subscriber.since.isoformat(timespec="seconds"),
            "duration": round(now - subscriber.started, 1),
            "connection": subscriber.connection.connection_id,
            "local_call_id": subscriber.local_call_id,
            "peer_call_id": subscriber.peer_call_id,
            "loss": loss(counters),
            "idle": round(now - active, 1) if active else None,
            "last_activity": _moment(now - active) if active else None,
            "paths": described(subscriber, counters),
            "counters": _counters(counters),
        }


def _moment(seconds_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat(timespec="seconds")


def loss(counters: Counters) -> float | None:
    """Return which share of a client's GRE packets never came, by their sequence numbers; None while none came."""
    expected = counters.gre_packets_in + counters.gre_lost
    return round(counters.gre_lost / expected, 6) if expected else None


def _counters(counters: Counters) -> dict[str, Any]:
    return asdict(counters)
