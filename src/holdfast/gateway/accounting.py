"""Accounting of sessions: records made from events, kept on disk, delivered in order.

No record is lost: it is on disk before it is sent, and leaves the disk when a server has acknowledged it. Whether a
server that did not answer has it all the same cannot be known, so it is sent again: octet for octet the same from the
same port within `accounting_delivery.SAME` seconds, even by the successor of a gateway that was killed, so that a
server with a memory for repetitions drops it; and always with the same Acct-Session-Id, Acct-Status-Type and
Event-Timestamp, which no two records share, so that a database with a key counts it once. The next record of its
session goes out only after that.

That a session came up is in the journal before this returns; the rest is written behind it, within milliseconds. A kill
in between costs an update that nobody has seen, or lets a session end as one that the kill ended.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.config import Config
from holdfast.errors import StateError, where_raised
from holdfast.events import DynamicRequestSeen, Event, InternalFault, IpOpened, SessionEnded, SessionRenewed
from holdfast.gateway.accounting_delivery import Delivery
from holdfast.gateway.radius import accounting_client, nas_identifier, place_of
from holdfast.gateway.radius_client import RadiusClient
from holdfast.observe.event_log import EventLog
from holdfast.policy.accounting_changes import Waiting
from holdfast.policy.accounting_journal import AccountingJournal, CameUp, Ended
from holdfast.policy.accounting_queue import AccountingQueue, Leftover, session_of
from holdfast.policy.accounting_records import TERMINATE_CAUSES, Usage, counted, identity, of_kind, stop
from holdfast.radius.agenda import Agenda
from holdfast.radius.attributes import Attribute, attribute, write_attributes
from holdfast.radius.codes import AcctStatus, TerminateCause

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

QUEUE_NAME, JOURNAL_NAME = "accounting.db", "accounting.journal"
SWEEP = 1.0
NOTE = 30.0
"""Seconds between two notes of a session's counts: what a kill costs at most of them."""
START, UPDATE, NO_COUNTS = of_kind(AcctStatus.START), of_kind(AcctStatus.INTERIM_UPDATE), counted(Usage())
FAREWELL = 1.0
"""Seconds at the end for what still waits; the rest goes out at the next start."""


@dataclass(slots=True)
class _Open:
    """A session that is accounted. `since`, `due` and `noted` are loop time; no `due`: no updates.

    `identity`: what all its records say, as octets. `stamp`: Event-Timestamp of its last record.
    """

    session: str
    identity: bytes
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
        kept: tuple[AccountingQueue, AccountingJournal],
        client: RadiusClient,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gateway, self._clock = gateway, clock
        self._queue, self._journal = kept
        self.delivery = Delivery(self._queue, client, gateway.report, gateway.now, clock)
        self.delivery.written_up_to = self._written
        self._identifier, self._address = nas_identifier(config), nas_address(config)
        self._jitter = config.radius.interim_jitter
        self._open: dict[str, _Open] = {}
        self._agenda: Agenda[str] = Agenda()
        self._intervals_changed = False
        self._sweeping: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Say what became of the sessions of a gateway that was killed, then that this one is on; begin to deliver."""
        self._guard(self._take_up_journal)
        self._guard(self._close_leftovers)
        self._guard(lambda: self._announce(AcctStatus.ACCOUNTING_ON))
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep())
        self.delivery.begin()

    async def end(self) -> None:
        """Say that this gateway is off, and let what waits go out, for a short while."""
        self._guard(lambda: self._announce(AcctStatus.ACCOUNTING_OFF))
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await self.delivery.end(FAREWELL)
        self._journal.close()

    def state(self) -> dict[str, Any]:
        """Return how many sessions are accounted at the moment, and how what is said of them goes out."""
        return {"sessions": len(self._open), **self.delivery.state()}

    # --- facts ---------------------------------------------------------------------------------------------

    def observe(self, event: Event, context: Mapping[str, Any]) -> None:
        """Take an event of the log."""
        if isinstance(event, IpOpened):
            self._guard(lambda: self._came_up(event, context))
        elif isinstance(event, SessionRenewed):
            self._guard(lambda: self._renewed(context))
        elif isinstance(event, SessionEnded):
            self._guard(lambda: self._ended(event, context))
        elif isinstance(event, DynamicRequestSeen):
            self._intervals_changed = True

    def _came_up(self, event: IpOpened, context: Mapping[str, Any]) -> None:
        session = str(context.get("session", ""))
        subscriber = self._gateway.subscribers.get(session)
        if subscriber is None or session in self._open:
            return
        who = self._identity(subscriber, event.peer_address)
        now, at = self._gateway.now(), self._clock()
        interval = subscriber.policy.accounting_interval
        known = _Open(session, who, now, interval, self._next(now, interval), now, int(at))
        self._open[session] = known
        self._agenda.set(session, self._look_next(known))
        number = self._add(START, known, at)
        self.delivery.changes.open(session, at, who, NO_COUNTS)
        self._journal.note(CameUp(number, at, session, who))

    def _identity(self, subscriber: "Subscriber", address: str) -> bytes:
        grant, place = subscriber.grant, place_of(subscriber, self._identifier).attributes()
        classes = grant.class_ if grant else ()
        return write_attributes(identity(subscriber.user, address, classes, place, by_radius=grant is not None))

    def _renewed(self, context: Mapping[str, Any]) -> None:
        """Another Access-Accept may have brought another Class, which counts from now on (RFC 2865 section 5.25)."""
        session = str(context.get("session", ""))
        known, subscriber = self._open.get(session), self._gateway.subscribers.get(session)
        if known is not None and subscriber is not None:
            known.identity = self._identity(subscriber, subscriber.address)
            self.delivery.changes.open(session, self._clock(), known.identity, counted(self._usage(known, subscriber)))
            self.delivery.rouse()

    def _ended(self, event: SessionEnded, context: Mapping[str, Any]) -> None:
        session = str(context.get("session", ""))
        known = self._open.pop(session, None)
        if known is None:
            return
        self._agenda.drop(session)
        seconds = int(self._gateway.now() - known.since)
        usage = Usage(seconds, event.bytes_in, event.bytes_out, event.packets_in, event.packets_out)
        said, at = stop(counted(usage), TERMINATE_CAUSES[event.reason]), self._clock()
        number = self._add(said, known, at)
        self.delivery.changes.close(session)
        self._journal.note(Ended(number, at, session, said + known.identity))

    def _usage(self, known: _Open, subscriber: "Subscriber") -> Usage:
        counters = self._gateway.counters(subscriber)
        seconds = int(self._gateway.now() - known.since)
        return Usage(seconds, counters.bytes_in, counters.bytes_out, counters.packets_in, counters.packets_out)

    def _update(self, session: str, known: _Open, subscriber: "Subscriber") -> None:
        counts, at = counted(self._usage(known, subscriber)), self._clock()
        known.stamp = int(at)
        self._add(UPDATE + counts, known, at, update_only=True)
        self.delivery.changes.count(session, at, counts)

    def _note(self, session: str, known: _Open, subscriber: "Subscriber") -> None:
        """Leave word of the counts for a successor, between two updates."""
        self.delivery.changes.count(session, self._clock(), counted(self._usage(known, subscriber)))
        self.delivery.rouse()

    def _take_up_journal(self) -> None:
        """Let the queue have the sessions that came up or ended in the last moment before a kill."""
        if self._queue.is_new:  # whoever took the old one away wanted no more of it
            self._journal.clear()
        for one in self._journal.entries():
            if one.number <= self._queue.last:
                continue
            number = self.delivery.next_number(one.number)
            if isinstance(one, Ended):
                self._put(one.said, one.at, number)
                self.delivery.changes.close(one.session)
            else:
                self._put(START + one.identity, one.at, number)
                self.delivery.changes.open(one.session, one.at, one.identity, NO_COUNTS)

    def _close_leftovers(self) -> None:
        """Stop what a killed gateway left open, as far as its last counts are known."""
        journalled = [Leftover(session, *values) for session, values in self.delivery.changes.opened.items()]
        ended = set(self.delivery.changes.closed)
        for left in [*(one for one in self._queue.leftovers() if one.session not in ended), *journalled]:
            self._put(stop(left.last, TerminateCause.NAS_REBOOT) + left.identity, left.at)
            self.delivery.changes.close(left.session)

    def _announce(self, status: AcctStatus) -> None:
        session = attribute("Acct-Session-Id", secrets.token_hex(8))  # RFC 2866 section 5.13 wants one in every record
        named = [attribute("NAS-Identifier", self._identifier), *self._address]
        self._put(of_kind(status) + write_attributes([session, *named]), self._clock())

    def _add(self, said: bytes, known: _Open, at: float, *, update_only: bool = False) -> int:
        """Put in a record of a session that is open; return its number."""
        number = self.delivery.next_number()
        self.delivery.put(Waiting(number, at, said + known.identity, known.session, update_only))
        return number

    def _put(self, octets: bytes, at: float, number: int = 0) -> None:
        self.delivery.put(Waiting(number or self.delivery.next_number(), at, octets, session_of(octets)))

    def _written(self, number: int) -> None:
        self._guard(lambda: self._journal.written(number))

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
            for session in [*self._agenda.due(now), *self._with_new_interval()]:
                known, subscriber = self._open.get(session), self._gateway.subscribers.get(session)
                if known is not None and subscriber is not None:
                    self._guard(partial(self._look_at, session, known, subscriber, now))
                if known is not None:
                    self._agenda.set(session, self._look_next(known))

    def _with_new_interval(self) -> list[str]:
        """Return the sessions whose interval a Change-of-Authorization may just have changed."""
        asked, self._intervals_changed = self._intervals_changed, False
        policies = {session: one.policy for session, one in self._gateway.subscribers.items()} if asked else {}
        return [name for name, policy in policies.items() if self._differs(name, policy.accounting_interval)]

    def _differs(self, session: str, interval: float) -> bool:
        known = self._open.get(session)
        return known is not None and known.interval != interval

    @staticmethod
    def _look_next(known: _Open) -> float:
        """Return when to look at a session again."""
        note = known.noted + NOTE
        return note if known.due is None else min(known.due, note)

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
    kept = AccountingQueue(state / QUEUE_NAME, config.radius.queue), AccountingJournal(state / JOURNAL_NAME)
    accounting = Accounting(gateway, config, kept, client)
    log.observers.append(accounting.observe)
    gateway.accounting_state = accounting.state
    accounting.begin()
    return accounting
