"""Accounting of sessions: records made from events, kept on disk, delivered in order.

No record is lost: it is on disk before it is sent, and leaves the disk when a server has acknowledged it. Whether a
server that did not answer has it all the same cannot be known, so it is sent again: octet for octet the same from the
same port within `SAME` seconds, even by the successor of a gateway that was killed, so that a server with a memory for
repetitions drops it; and always with the same Acct-Session-Id, Acct-Status-Type and Event-Timestamp, which no two
records share, so that a database with a key counts it once. The next record goes out only after that.
"""

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
from holdfast.errors import StateError, where_raised
from holdfast.events import AccountingQueued, Event, InternalFault, IpOpened, SessionEnded, SessionRenewed
from holdfast.gateway.radius import accounting_client, nas_identifier, place_of
from holdfast.gateway.radius_client import RadiusClient
from holdfast.observe.event_log import EventLog
from holdfast.policy.accounting_queue import AccountingQueue, Flight, Waiting
from holdfast.policy.accounting_records import TERMINATE_CAUSES, Usage, counted, identity, start, stop, update
from holdfast.radius.attributes import Attribute, attribute
from holdfast.radius.codes import AcctStatus, Code, TerminateCause
from holdfast.radius.exchange_types import Request, Sent

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

QUEUE_NAME = "accounting.db"
SWEEP = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between tries while no server takes records."""
SAME = 30.0
"""Seconds in which a record is sent again as it went out first, with an Acct-Delay-Time that is so much behind."""
NOTE = 30.0
"""Seconds between two notes of a session's counts: what a kill costs at most of them."""
COMPLAINT_INTERVAL = 60.0
"""Seconds between two log lines about records that found no room."""
FAREWELL = 1.0
"""Seconds at the end for what still waits; the rest goes out at the next start."""


@dataclass(slots=True)
class _Open:
    """A session that is accounted. `since`, `due` and `noted` are loop time; no `due`: no updates.

    `stamp`: Event-Timestamp of its last record.
    """

    identity: list[Attribute]
    since: float
    interval: float
    due: float | None
    noted: float
    stamp: int


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
        client.sending = self.sending
        self._identifier, self._address = nas_identifier(config), nas_address(config)
        self._jitter = config.radius.interim_jitter
        self._open: dict[str, _Open] = {}
        self._more, self._empty = asyncio.Event(), asyncio.Event()
        self._under_way: Waiting | None = None
        self._flight: Flight | None = None
        """How it went out last."""
        self._told_dropped, self._next_complaint = queue.dropped, float("-inf")
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
        elif isinstance(event, SessionRenewed):
            self._guard(lambda: self._renewed(context))
        elif isinstance(event, SessionEnded):
            self._guard(lambda: self._ended(event, context))

    def _came_up(self, event: IpOpened, context: Mapping[str, Any]) -> None:
        session = str(context.get("session", ""))
        subscriber = self._gateway.subscribers.get(session)
        if subscriber is None or session in self._open:
            return
        who = self._identity(subscriber, event.peer_address)
        now, at = self._gateway.now(), self._clock()
        interval = subscriber.policy.accounting_interval
        self._open[session] = _Open(who, now, interval, self._next(now, interval), now, int(at))
        with self._queue.together():
            self._add([*start(), *who], at)
            self._queue.opened(session, who, counted(Usage()), at)

    def _identity(self, subscriber: "Subscriber", address: str) -> list[Attribute]:
        grant, place = subscriber.grant, place_of(subscriber, self._identifier).attributes()
        classes = grant.class_ if grant else ()
        return identity(subscriber.user, address, classes, place, by_radius=grant is not None)

    def _renewed(self, context: Mapping[str, Any]) -> None:
        """Another Access-Accept may have brought another Class, which counts from now on (RFC 2865 section 5.25)."""
        session = str(context.get("session", ""))
        known, subscriber = self._open.get(session), self._gateway.subscribers.get(session)
        if known is not None and subscriber is not None:
            known.identity = self._identity(subscriber, subscriber.address)
            at = self._clock()
            self._queue.opened(session, known.identity, counted(self._usage(known, subscriber)), at)

    def _ended(self, event: SessionEnded, context: Mapping[str, Any]) -> None:
        session = str(context.get("session", ""))
        known = self._open.pop(session, None)
        if known is None:
            return
        seconds = int(self._gateway.now() - known.since)
        usage = Usage(seconds, event.bytes_in, event.bytes_out, event.packets_in, event.packets_out)
        with self._queue.together():
            self._add([*stop(usage, TERMINATE_CAUSES[event.reason]), *known.identity], self._clock())
            self._queue.closed(session)

    def _usage(self, known: _Open, subscriber: "Subscriber") -> Usage:
        counters = self._gateway.counters(subscriber)
        seconds = int(self._gateway.now() - known.since)
        return Usage(seconds, counters.bytes_in, counters.bytes_out, counters.packets_in, counters.packets_out)

    def _update(self, session: str, known: _Open, subscriber: "Subscriber") -> None:
        counts, at = counted(self._usage(known, subscriber)), self._clock()
        known.stamp = int(at)
        with self._queue.together():
            self._add([*update(counts), *known.identity], at, update_only=True)
            self._queue.counted(session, counts, at)

    def _note(self, session: str, known: _Open, subscriber: "Subscriber") -> None:
        """Leave word of the counts for a successor, between two updates."""
        self._queue.counted(session, counted(self._usage(known, subscriber)), self._clock())

    def _close_leftovers(self) -> None:
        for left in self._queue.leftovers():
            status = attribute("Acct-Status-Type", AcctStatus.STOP)
            cause = attribute("Acct-Terminate-Cause", TerminateCause.NAS_REBOOT)
            with self._queue.together():
                self._add([status, *left.last, cause, *left.identity], left.at)
                self._queue.closed(left.session)

    def _announce(self, status: AcctStatus) -> None:
        session = attribute("Acct-Session-Id", secrets.token_hex(8))  # RFC 2866 section 5.13 wants one in every record
        named = [attribute("NAS-Identifier", self._identifier), *self._address]
        self._add([attribute("Acct-Status-Type", status), session, *named], self._clock())

    def _add(self, attributes: list[Attribute], at: float, *, update_only: bool = False) -> None:
        self._queue.add(attributes, at, update_only=update_only)
        self._empty.clear()
        self._more.set()
        now, lost = self._gateway.now(), self._queue.dropped - self._told_dropped
        if lost and now >= self._next_complaint:
            self._told_dropped, self._next_complaint = self._queue.dropped, now + COMPLAINT_INTERVAL
            detail = f"the queue is full (radius.queue): {lost} records were given up, updates first"
            self._gateway.report(AccountingQueued(len(self._queue), detail), {})

    def _guard(self, action: Callable[[], None]) -> None:
        """Neither a disk that refuses nor a fault of ours may end a session that works, or all that is accounted."""
        try:
            action()
        except StateError as error:
            self._gateway.report(InternalFault("accounting", error.text()), {})
        except Exception as error:  # noqa: BLE001 - whoever called is somebody's session, or looks after all of them
            self._gateway.report(InternalFault("accounting", where_raised(error)), {})

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
                if subscriber is not None and not _rests(known, subscriber, now):
                    self._guard(partial(self._look_at, session, known, subscriber, now))

    def _look_at(self, session: str, known: _Open, subscriber: "Subscriber", now: float) -> None:
        """Make an update that is due. Two of a session in one second would be the same record to a server."""
        if known.interval != subscriber.policy.accounting_interval:  # an administrator changed it
            known.interval = subscriber.policy.accounting_interval
            known.due = self._next(now, known.interval)
        if known.due is not None and known.due <= now and int(self._clock()) != known.stamp:
            known.due, known.noted = self._next(now, known.interval), now
            self._update(session, known, subscriber)
        elif known.noted + NOTE <= now:
            known.noted = now
            self._note(session, known, subscriber)

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
                if await self._taken(record):
                    self._queue.remove(record.number)
                    pause = self._took(pause)
                    continue
            pause = self._refused(pause)
            await asyncio.sleep(pause)

    async def _taken(self, record: Waiting) -> bool:
        """Return whether the record may go. One that cannot be sent at all must not hold up those behind it."""
        try:
            return await self._send(record)
        except StateError:
            raise
        except Exception as error:  # noqa: BLE001 - such as attributes of RADIUS that fit no packet together with ours
            detail = f"a record cannot be sent and is given up: {where_raised(error)}"
            self._gateway.report(InternalFault("accounting", detail), {})
        return True

    async def _send(self, record: Waiting) -> bool:
        self._under_way = record
        delay = max(0, int(self._clock() - record.at))
        times = [attribute("Event-Timestamp", int(record.at)), attribute("Acct-Delay-Time", min(delay, 0xFFFFFFFF))]
        request = Request(Code.ACCOUNTING_REQUEST, (*record.attributes, *times))
        flight = self._flight = self._queue.flight(record.number)
        known = flight is not None and 0 <= self._clock() - flight.at <= SAME
        return (await self._client.ask(request, flight.sent if known and flight else None)).accepted

    def sending(self, sent: Sent) -> None:
        """Write down how a record goes out. A disk that refuses does not keep it in."""
        record = self._under_way
        if record is None:
            return
        with contextlib.suppress(StateError):
            if self._flight is None or self._flight.sent != sent:
                flight = Flight(self._clock(), sent)
                self._queue.launched(record.number, flight)
                self._flight = flight

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


def _rests(known: _Open, subscriber: "Subscriber", now: float) -> bool:
    """Whether nothing of this session is due, nor was changed: so it is with nearly all of thousands, each second."""
    waits = known.due is None or known.due > now
    return waits and known.noted + NOTE > now and known.interval == subscriber.policy.accounting_interval


def nas_address(config: Config) -> list[Attribute]:
    """Return the NAS-IP-Address for On and Off; none where clients dial several: each session has its own."""
    addresses = {end.address for end in config.gateway.listen}
    known = len(addresses) == 1 and not next(iter(addresses)).is_unspecified
    return [attribute("NAS-IP-Address", addresses.pop())] if known else []


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
