"""Metrics in the words of Prometheus: what events count is counted here, what is known at a scrape is read then.

`Metrics.observe` is an observer of the event log: a fact that is not an event is not counted. Names begin with
`holdfast_`; times are seconds, sizes octets. No label holds what a stranger chose: reasons, phases, methods and
causes come from our own vocabularies, and names of users are labels only when asked for, and only of those who
proved that they exist.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from holdfast import __version__
from holdfast.errors import ControlEnd, DisconnectReason
from holdfast.events import (
    AccountingQueued,
    AuthenticationFailed,
    AuthenticationSucceeded,
    CallRefused,
    ControlClosed,
    Event,
    IpOpened,
    LimitReached,
    SessionEnded,
)
from holdfast.observe.event_count import EventCount
from holdfast.observe.metrics_phases import TELLING, Phases
from holdfast.observe.metrics_reading import Reading, ReadingCollector
from holdfast.observe.tally import TallyCollector
from holdfast.policy.admission import Barrier

SESSION_BUCKETS = (1, 10, 60, 300, 900, 3600, 14400, 86400, 604800)
PHASE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: a healthy set-up takes tenths, a lost first Configure-Request 3 s, a person with a second factor 60 s."""

MAX_USERS = 10_000
"""Users with series of their own; whoever comes later is counted under `OTHERS`."""
OTHERS = "(others)"


class Metrics:
    """One registry of its own, so that two gateways in a process (as in tests) never mix."""

    def __init__(
        self, read: Callable[[], Reading], *, per_user: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry = CollectorRegistry()
        self._reading = ReadingCollector(self._registry, read, __version__)
        self._phases = Phases(clock)
        self._per_user = per_user
        self._users: set[str] = set()
        self._make_counters()
        self._begin_at_zero()

    def _make_counters(self) -> None:
        self._events = EventCount(self._registry)
        shown = TallyCollector(self._registry)
        self._closed = shown.count("holdfast_control_closed", "Control connections that ended, by reason.", "reason")
        self._control_ends = shown.count(
            "holdfast_control_ends", "Control connections that ended, by how: fin, rst, timeout, ...", "end"
        )
        self._refused = shown.count(
            "holdfast_calls_refused", "Calls not granted, by RFC 2637 result code.", "result_code"
        )
        self._authentications = shown.count(
            "holdfast_authentications", "Clients judged, by method and result.", "method", "result"
        )
        self._setups = shown.count("holdfast_setups", "Sessions in which traffic became possible.")
        self._failures = shown.count(
            "holdfast_setup_failures",
            "Connections and sessions that ended before traffic was possible, by phase and reason.",
            "phase",
            "reason",
        )
        self._ended = shown.count("holdfast_sessions_ended", "Sessions that ended, by reason.", "reason")
        self._limits = shown.count("holdfast_limits", "Clients kept out, by the limit or rule that did it.", "limit")
        self._accounting = shown.level("holdfast_accounting_waiting", "Accounting records that wait for a server.")
        self._phase_seconds = shown.spreads(
            "holdfast_phase_seconds",
            "Time each phase of a set-up took; `total` from TCP connect to traffic.",
            PHASE_BUCKETS,
            "phase",
        )
        self._session_seconds = shown.spreads("holdfast_session_seconds", "How long sessions lasted.", SESSION_BUCKETS)
        if self._per_user:
            self._user_sessions = shown.count("holdfast_user_sessions", "Sessions of a user that came up.", "user")
            self._user_octets = shown.count(
                "holdfast_user_bytes", "Octets in user packets of a user's ended sessions.", "user", "direction"
            )

    def _begin_at_zero(self) -> None:
        """Show what may happen before it does: Prometheus sees no increase in a series that is born with 1."""
        for reason in DisconnectReason:
            self._ended.begin(str(reason))
            self._closed.begin(str(reason))
        for end in ControlEnd:
            if end is not ControlEnd.OPEN:
                self._control_ends.begin(str(end))
        for barrier in Barrier:
            self._limits.begin(str(barrier))

    # --- events --------------------------------------------------------------------------------------------

    def observe(self, event: Event, context: Mapping[str, Any]) -> None:
        """Count a fact."""
        self._events.observe(event, context)
        kind = type(event)
        if kind in TELLING:
            for phase, seconds in self._phases.reached(event, context):
                self._phase_seconds.observe(seconds, phase)
        count = _COUNTS.get(kind)
        if count is not None:
            count(self, event, context)

    def _count_closed(self, event: ControlClosed, context: Mapping[str, Any]) -> None:
        self._closed.add(str(event.reason))
        self._control_ends.add(str(event.control_end))
        if self._phases.connection_closed(context):
            self._failures.add("control", str(event.reason))

    def _count_refused(self, event: CallRefused, _context: Mapping[str, Any]) -> None:
        self._refused.add(str(event.result_code))

    def _count_limit(self, event: LimitReached, _context: Mapping[str, Any]) -> None:
        self._limits.add(event.limit, by=event.times)

    def _note_accounting(self, event: AccountingQueued, _context: Mapping[str, Any]) -> None:
        self._accounting.set(event.waiting)

    def _count_success(self, event: AuthenticationSucceeded, _context: Mapping[str, Any]) -> None:
        if event.by_peer:
            self._authentications.add(event.method, "success")

    def _count_failure(self, event: AuthenticationFailed, _context: Mapping[str, Any]) -> None:
        if event.by_peer:
            self._authentications.add(event.method, "failure")

    def _count_up(self, _event: IpOpened, context: Mapping[str, Any]) -> None:
        if self._phases.came_up(context):
            self._setups.add()
            if self._per_user:
                self._user_sessions.add(self._user(str(context.get("user", ""))))

    def _count_ended(self, event: SessionEnded, context: Mapping[str, Any]) -> None:
        self._ended.add(str(event.reason))
        self._session_seconds.observe(event.duration)
        failed = self._phases.session_ended(context, event.reason)
        if failed:
            self._failures.add(failed, str(event.reason))
        if self._per_user and event.user:
            user = self._user(event.user)
            self._user_octets.add(user, "in", by=event.bytes_in)
            self._user_octets.add(user, "out", by=event.bytes_out)

    def _user(self, name: str) -> str:
        """Return the label for a user: memory stays bounded whatever a directory of users lets in."""
        if name not in self._users and len(self._users) >= MAX_USERS:
            return OTHERS
        self._users.add(name)
        return name

    # --- a scrape ------------------------------------------------------------------------------------------

    def take_reading(self) -> None:
        """Read what is known at the moment. Called where the gateway's data may be read: on its event loop."""
        self._reading.take()

    def expose(self) -> bytes:
        """Return everything in Prometheus' text format (version 0.0.4). May run in another thread."""
        return generate_latest(self._registry)


_COUNTS: Mapping[type[Event], Callable[[Metrics, Any, Mapping[str, Any]], None]] = {
    ControlClosed: Metrics._count_closed,  # noqa: SLF001 - the table belongs to the class
    CallRefused: Metrics._count_refused,  # noqa: SLF001
    AuthenticationSucceeded: Metrics._count_success,  # noqa: SLF001
    AuthenticationFailed: Metrics._count_failure,  # noqa: SLF001
    IpOpened: Metrics._count_up,  # noqa: SLF001
    SessionEnded: Metrics._count_ended,  # noqa: SLF001
    LimitReached: Metrics._count_limit,  # noqa: SLF001
    AccountingQueued: Metrics._note_accounting,  # noqa: SLF001
}
