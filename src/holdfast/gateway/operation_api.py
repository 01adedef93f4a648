"""The verbs for operation on the control socket: why, reload, drain, unlock."""

from typing import Any

from holdfast.errors import HoldfastError
from holdfast.events import AdminActed
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.reload import Reloader
from holdfast.gateway.session_values import values_of
from holdfast.gateway.subscriber import Subscriber
from holdfast.local_api import Handler, caller


class OperationApi:
    """`why`, `reload`, `drain`, `unlock`."""

    def __init__(self, gateway: Gateway, reloader: Reloader) -> None:
        self._gateway, self._reloader = gateway, reloader

    def verbs(self) -> dict[str, Handler]:
        """Return the verbs by name."""
        return {"why": self.why, "reload": self.reload, "drain": self.drain, "unlock": self.unlock}

    async def why(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer what holds for a session, where each value came from, how far it is used up, and what RADIUS said that
        does not hold."""
        session = request.get("session")
        found = self._gateway.matching(session) if isinstance(session, str) and session else []
        if not found:
            fix = "holdfast sessions lists those that are on; how one ended: holdfast events --session ID."
            raise HoldfastError("there is no such session", fix=fix)
        (subscriber,) = found
        return {
            "id": subscriber.session.session_id,
            "user": subscriber.user,
            "group": subscriber.group,
            "state": str(subscriber.session.state),
            "settings": values_of(subscriber),
            "before_login": list(self._gateway.settings.before_login),
            "used": self._used(subscriber),
            "ends": self._ends(subscriber),
            "silent": sorted(subscriber.silent),
            "ignored": list(subscriber.effective.unusable),
            "unknown": list(subscriber.grant.unknown) if subscriber.grant else [],
        }

    def _used(self, subscriber: Subscriber) -> dict[str, Any]:
        """How long and how much so far, in seconds and octets; None where nothing counts yet."""
        now, counters = self._gateway.now(), self._gateway.counters(subscriber)
        up_at, since = subscriber.up_at, subscriber.renewal
        active = max(counters.last_user_in, counters.last_user_out, up_at or 0.0)
        policy = subscriber.policy
        return {
            "session_time": None if up_at is None else round(now - (subscriber.counted_from or up_at), 1),
            "idle": None if up_at is None else round(now - active, 1),
            "octets": counters.bytes_in - since.bytes_in + counters.bytes_out - since.bytes_out,
            "octets_in": counters.bytes_in - since.bytes_in,
            "octets_out": counters.bytes_out - since.bytes_out,
            "echoes_missed": subscriber.missed,
            "detection_time": policy.lcp_echo_interval * policy.lcp_echo_failures or None,
        }

    def _ends(self, subscriber: Subscriber) -> list[dict[str, Any]]:
        """Which timers will end the session by themselves, the first one first: in how many seconds, and why."""
        if subscriber.up_at is None:
            return []
        now, counters, policy = self._gateway.now(), self._gateway.counters(subscriber), subscriber.policy
        renewed = ", unless the client proves itself again (Termination-Action)"
        times = self._gateway.patrol.ends_of_time(subscriber, now)
        ends = [(end.at, end.why + (renewed if end.renewable else "")) for end in times]
        if policy.idle_timeout:
            active = max(counters.last_user_in, counters.last_user_out, subscriber.up_at)
            ends.append((active + policy.idle_timeout, "unless there is user traffic before (idle_timeout)"))
        if subscriber.grace_until is not None:
            ends.append((subscriber.grace_until, "the control connection is lost (control_lost_grace)"))
        return [{"seconds": round(max(0.0, at - now), 1), "why": why} for at, why in sorted(ends)]

    async def reload(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Read the configuration again; answer what changed."""
        self._gateway.report(AdminActed("reload", "configuration", caller()), {})
        return self._reloader.reload()

    async def drain(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take no new calls and end with the last one, or with `cancel` take calls again."""
        deadline = request.get("deadline") or 0.0
        if not isinstance(deadline, (int, float)) or not 0 <= deadline <= 30 * 86400:
            raise HoldfastError("the deadline is a number of seconds, a month at most")
        if request.get("cancel") is True:
            self._gateway.report(AdminActed("drain cancelled", "gateway", caller()), {})
            self._gateway.resume()
        else:
            self._gateway.report(AdminActed("drain", "gateway", caller()), {})
            self._gateway.drain(float(deadline))
        return {"draining": self._gateway.draining, "sessions": len(self._gateway.subscribers)}

    async def unlock(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let the account `user` log in again from `address`; answer whether it was locked out there."""
        user, address = request.get("user"), request.get("address")
        if not isinstance(user, str) or not isinstance(address, str) or not user or not address:
            raise HoldfastError("name a user and an address", fix="The event LOCKED names both.")
        self._gateway.report(AdminActed("unlock", f"{user} at {address}", caller()), {"user": user})
        return {"unlocked": self._gateway.logins.lockout.unlock(user, address, self._gateway.now())}
