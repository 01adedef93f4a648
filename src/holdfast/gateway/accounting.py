"""Accounting of sessions: records made from events, kept on disk, delivered in order."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.config import Config
from holdfast.errors import StateError
from holdfast.events import AccountingQueued, Event, InternalFault, IpOpened, SessionEnded
from holdfast.gateway.radius import accounting_client, nas_identifier, place_of
from holdfast.gateway.radius_client import RadiusClient
from holdfast.observe.event_log import EventLog
from holdfast.policy.accounting_queue import AccountingQueue, Waiting
from holdfast.policy.accounting_records import TERMINATE_CAUSES, Usage, counted, identity, start, stop, update
from holdfast.radius.attributes import Attribute, attribute
from holdfast.radius.codes import AcctStatus, Code, TerminateCause
from holdfast.radius.exchange_types import Request

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

QUEUE_NAME = "accounting.db"
SWEEP = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between tries while no server takes records."""
FAREWELL = 1.0
"""Seconds at the end for what still waits; the rest goes out at the next start."""


@dataclass(slots=True)
class _Open:
    """A session that is accounted. `since` and `due` are loop time; no `due`: no updates."""

    identity: list[Attribute]
    since: float
    interval: float
    due: float | None


class Accounting:
    """Start, Interim-Update and Stop for each session that passed traffic; Accounting-On and -Off for the gateway."""

    def __init__(
        self,
        gateway: "Gateway",
        config: Config,
        queue: AccountingQueue,
        client: RadiusClient,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gateway, self._queue, self._client, self._clock = gateway, queue, client, clock
        self._identifier = nas_identifier(config)
        self._jitter = config.radius.interim_jitter
        self._by_radius = bool(config.radius.servers)
        self._open: dict[str, _Open] = {}
        self._more, self._empty = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Say what became of the sessions of a gateway that was killed, then that this one is on; begin to deliver."""
        self._guard(self._close_leftovers)
        self._guard(lambda: self._announce(AcctStatus.ACCOUNTING_ON))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._deliver()), loop.create_task(self._sweep())]

    async def end(self) -> None:
        """Say that this gateway is off, and let what waits go out, for a short while."""
        self._guard(lambda: self._announce(AcctStatus.ACCOUNTING_OFF))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), FAREWELL)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._client.close()
        self._queue.close()

    # --- facts ---------------------------------------------------------------------------------------------

    def observe(self, event: Event, context: Mapping[str, Any]) -> None:
        """Take an event of the log."""
        if isinstance(event, IpOpened):
            self._guard(lambda: self._came_up(event, context))
        elif isinstance(event, SessionEnded):
            self._guard(lambda: self._ended(event, context))

    def _came_up(self, event: IpOpened, context: Mapping[str, Any]) -> None:
        session = str(context.get("session", ""))
        subscriber = self._gateway.subscribers.get(session)
        if subscriber is None or session in self._open:
            return
        grant = subscriber.grant
        place = place_of(subscriber, self._identifier).attributes()
        who = identity(
            subscriber.user, event.peer_address, grant.class_ if grant else (), place, by_radius=grant is not None
        )
        now, interval = self._gateway.now(), subscriber.policy.accounting_interval
        self._open[session] = _Open(who, now, interval, self._next(now, interval))
        with self._queue.together():
            self._add([*start(), *who])
            self._queue.opened(session, who, counted(Usage()), self._clock())

    def _ended(self, event: SessionEnded, context: Mapping[str, Any]) -> None:
        session = str(context.get("session", ""))
        known = self._open.pop(session, None)
        if known is None:
            return
        seconds = int(self._gateway.now() - known.since)
        usage = Usage(seconds, event.bytes_in, event.bytes_out, event.packets_in, event.packets_out)
        with self._queue.together():
            self._add([*stop(usage, TERMINATE_CAUSES[event.reason]), *known.identity])
            self._queue.closed(session)

    def _update(self, session: str, known: _Open, subscriber: "Subscriber") -> None:
        counters = self._gateway.counters(subscriber)
        seconds = int(self._gateway.now() - known.since)
        usage = Usage(seconds, counters.bytes_in, counters.bytes_out, counters.packets_in, counters.packets_out)
        self._add([*update(usage), *known.identity], update_only=True)
        self._queue.opened(session, known.identity, counted(usage), self._clock())

    def _close_leftovers(self) -> None:
        for left in self._queue.leftovers():
            status = attribute("Acct-Status-Type", AcctStatus.STOP)
            cause = attribute("Acct-Terminate-Cause", TerminateCause.NAS_REBOOT)
            with self._queue.together():
                self._add([status, *left.last, cause, *left.identity], at=left.at)
                self._queue.closed(left.session)

    def _announce(self, status: AcctStatus) -> None:
        session = attribute("Acct-Session-Id", secrets.token_hex(8))  # RFC 2866 section 5.13 wants one in every record
        self._add([attribute("Acct-Status-Type", status), session, attribute("NAS-Identifier", self._identifier)])

    def _add(self, attributes: list[Attribute], *, update_only: bool = False, at: float | None = None) -> None:
        self._queue.add(attributes, self._clock() if at is None else at, update_only=update_only)
        self._empty.clear()
        self._more.set()

    def _guard(self, action: Callable[[], None]) -> None:
        """A disk that refuses must not end a session that works."""
        try:
            action()
        except StateError as error:
            self._gateway.report(InternalFault("accounting", error.text()), {})

    # --- updates -------------------------------------------------------------------------------------------

    def _next(self, now: float, interval: float) -> float | None:
        """Move each update a little, so that thousands of sessions do not speak at once (RFC 2869 section 5.16)."""
        if interval <= 0:
            return None
        moved = 1 + self._jitter * (secrets.randbelow(2001) - 1000) / 1000
        return now + interval * moved

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            now = self._gateway.now()
            for session, known in list(self._open.items()):
                subscriber = self._gateway.subscribers.get(session)
                if subscriber is not None and known.due is not None and known.due <= now:
                    known.due = self._next(now, known.interval)
                    self._guard(partial(self._update, session, known, subscriber))

    # --- delivery ------------------------------------------------------------------------------------------

    async def _deliver(self) -> None:
        """Send record after record; one that is not taken keeps its place."""
        pause = 0.0
        while True:
            with contextlib.suppress(StateError):
                record = self._queue.first()
                if record is None:
                    self._empty.set()
                    self._more.clear()
                    await self._more.wait()
                    continue
                if await self._send(record):
                    self._queue.remove(record.number)
                    pause = self._took(pause)
                    continue
            pause = self._refused(pause)
            await asyncio.sleep(pause)

    async def _send(self, record: Waiting) -> bool:
        delay = max(0, int(self._clock() - record.at))
        times = [attribute("Event-Timestamp", int(record.at)), attribute("Acct-Delay-Time", min(delay, 0xFFFFFFFF))]
        request = Request(Code.ACCOUNTING_REQUEST, (*record.attributes, *times))
        return (await self._client.ask(request)).accepted

    def _took(self, pause: float) -> float:
        if pause and not len(self._queue):
            self._gateway.report(AccountingQueued(0, "all that waited was delivered"), {})
            return 0.0
        return pause

    def _refused(self, pause: float) -> float:
        if not pause:
            detail = "no accounting server takes records; they wait on disk"
            self._gateway.report(AccountingQueued(len(self._queue), detail), {})
        return min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)


def start_accounting(gateway: "Gateway", config: Config, state: Path, log: EventLog) -> Accounting | None:
    """Begin with the accounting that the configuration asks for. ConfigError when a secret is missing."""
    client = accounting_client(config, gateway)
    if client is None:
        return None
    queue = AccountingQueue(state / QUEUE_NAME, config.radius.queue)
    accounting = Accounting(gateway, config, queue, client)
    log.observers.append(accounting.observe)
    accounting.begin()
    return accounting
