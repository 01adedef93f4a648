"""The walk past all sessions: idle, time, volume, and clients that acknowledge nothing.

One timer for all. A session stands in a heap under the moment at which something about it can be due at the earliest,
so that a round looks at few of them, and thousands of quiet sessions cost next to nothing.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from holdfast.alarm import Alarm
from holdfast.dataplane.interface import Counters, PacketEngine
from holdfast.errors import DisconnectReason, where_raised
from holdfast.events import InternalFault, TimeWarned
from holdfast.gateway.health import acknowledgements
from holdfast.gateway.repeats import repeats
from holdfast.machine import earliest
from holdfast.policy.hours import Hours

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

ROUND = 10.0
"""Seconds until a session is looked at again at the latest."""
VOLUME_ROUND = 2.0
"""The same while a session has a volume limit: it may be overrun by what passes in so long."""
GRAIN = 0.05
"""Seconds between rounds at least, so that sessions due at nearly the same time are seen in one."""


@dataclass(order=True, slots=True)
class _Visit:
    at: float
    subscriber: "Subscriber" = field(compare=False)


class End(NamedTuple):
    """When a session must end, in loop time, and why; `renewable`: unless its client proves itself again then."""

    at: float
    why: str
    renewable: bool = False


class Patrol:
    """Ends sessions whose time, patience or volume is used up, and warns before that."""

    def __init__(self, gateway: "Gateway", engine: PacketEngine, clock: Callable[[], datetime]) -> None:
        self._gateway, self._engine, self._clock = gateway, engine, clock
        self._visits: list[_Visit] = []
        self._alarm = Alarm(gateway.loop, self._walk, self._failed)

    def begin(self, subscriber: "Subscriber") -> None:
        """A session came up: look after it from now on."""
        self._plan(subscriber, self._gateway.now())

    def look_soon(self, subscriber: "Subscriber") -> None:
        """Something about a session has changed."""
        if subscriber.up:
            self._plan(subscriber, self._gateway.now())

    def ends_of_time(self, subscriber: "Subscriber", now: float) -> list[End]:
        """Return the moments at which a session must end whatever its user does, and why."""
        ends: list[End] = []
        policy, moment = subscriber.policy, self._clock()
        if policy.session_timeout and not subscriber.renewal.asking:
            begun = now if subscriber.counted_from is None else subscriber.counted_from
            at = max(begun + policy.session_timeout, subscriber.renewal.not_before)
            ends.append(End(at, f"the session's {policy.session_timeout:g} s are over", policy.reauthenticate))
        if subscriber.expires is not None:
            at = now + subscriber.expires - moment.timestamp()
            ends.append(End(at, "the account's last day is over"))
        if policy.hours:
            closing = Hours.parse(policy.hours).ends(moment)
            if closing is not None:
                at = now + (closing - moment).total_seconds()
                ends.append(End(at, f"the hours in which the user may be connected ({policy.hours}) are over"))
            elif not Hours.parse(policy.hours).allows(moment):
                ends.append(End(now, f"the hours in which the user may be connected ({policy.hours}) are over"))
        return ends

    def stop(self) -> None:
        """Look after nobody any more."""
        self._alarm.cancel()
        self._visits.clear()

    def _plan(self, subscriber: "Subscriber", at: float) -> None:
        """Stand in the heap under this moment alone: what it stood under before is passed over."""
        subscriber.visit_at = at
        heapq.heappush(self._visits, _Visit(at, subscriber))
        self._alarm.arm(self._visits[0].at)

    def _failed(self, error: Exception) -> None:
        """A fault of ours with one session must not let all others go on for ever."""
        self._gateway.report(InternalFault("patrol", where_raised(error)), {})
        self._alarm.arm(self._gateway.now() + GRAIN)

    def _walk(self) -> None:
        now = self._gateway.now()
        while self._visits and self._visits[0].at <= now:
            visit = heapq.heappop(self._visits)
            subscriber = visit.subscriber
            if subscriber.up and visit.at == subscriber.visit_at:
                with self._gateway.guarded(subscriber):
                    self._plan(subscriber, max(self._visit(subscriber, now), now + GRAIN))
        self._alarm.arm(max(self._visits[0].at, now + GRAIN) if self._visits else None)

    def _visit(self, subscriber: "Subscriber", now: float) -> float:
        """Look at one session; return when to look again."""
        counters = self._engine.counters(subscriber.carrier.handle)
        acknowledgements(self._gateway, subscriber, counters, now)
        self._gateway.fragmentation.sent(subscriber, counters)
        repeats(self._gateway, subscriber, counters, now)
        self._gateway.paths.look(subscriber, counters, now)
        due = [now + ROUND, self._idle(subscriber, counters, now), self._volume(subscriber, counters, now)]
        due += [self._time(subscriber, now), self._grace(subscriber, now)]
        return earliest(due) or now + ROUND

    # --- each check ends the session or says when it is due ------------------------------------------------

    def _idle(self, subscriber: "Subscriber", counters: Counters, now: float) -> float | None:
        limit = subscriber.policy.idle_timeout
        if not limit:
            return None
        last = max(counters.last_user_in, counters.last_user_out, subscriber.up_at or now)
        if now < last + limit:
            return last + limit
        since = self._gateway.wall_clock(last)
        self._end(subscriber, DisconnectReason.IDLE_TIMEOUT, f"no user traffic since {since}, for {limit:g} s")
        return None

    def _volume(self, subscriber: "Subscriber", counters: Counters, now: float) -> float | None:
        policy, since = subscriber.policy, subscriber.renewal
        came, went = counters.bytes_in - since.bytes_in, counters.bytes_out - since.bytes_out
        limits = (
            (policy.volume_limit, came + went, ""),
            (policy.volume_limit_in, came, " from the client"),
            (policy.volume_limit_out, went, " to the client"),
        )
        if not any(limit for limit, _, _ in limits):
            return None
        for limit, moved, way in limits:
            if limit and moved >= limit:
                evidence = f"{moved} octets of user packets{way} have passed, {limit} were allowed"
                self._end(subscriber, DisconnectReason.VOLUME_LIMIT, evidence)
                break
        return now + VOLUME_ROUND

    def _time(self, subscriber: "Subscriber", now: float) -> float | None:
        """The session's time, the account's end and the week's window: the first of them ends it."""
        ends = self.ends_of_time(subscriber, now)
        if not ends:
            return None
        at, why, renewable = min(ends)
        if now >= at:
            if not renewable or not self._gateway.renewals.begin(subscriber, now):
                self._end(subscriber, DisconnectReason.SESSION_TIMEOUT, why)
            return None
        warning = subscriber.policy.time_warning
        if not warning or subscriber.warned or renewable:
            return at
        if now < at - warning:
            return at - warning
        self._warn(subscriber, at - now, why)
        return at

    def _warn(self, subscriber: "Subscriber", left: float, why: str) -> None:
        subscriber.warned = True
        seconds = max(1, round(left))
        subscriber.session.time_remaining(seconds, "", self._gateway.now())
        self._gateway.report(TimeWarned(seconds, f"then {why}"), subscriber.context())
        self._gateway.drive(subscriber)

    def _grace(self, subscriber: "Subscriber", now: float) -> float | None:
        if subscriber.grace_until is None:
            return None
        if now < subscriber.grace_until:
            return subscriber.grace_until
        self._end(subscriber, DisconnectReason.CONTROL_LOST, f"{subscriber.grace_evidence}; the grace is over")
        return None

    def _end(self, subscriber: "Subscriber", reason: DisconnectReason, evidence: str) -> None:
        self._gateway.close_session(subscriber, reason, evidence)
