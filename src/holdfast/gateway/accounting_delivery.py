"""Bringing accounting records to disk and then to a server, beside the event loop's other work.

Everything that happens goes into the next transaction, which a thread writes. How a record will look on the wire is in
it before the record leaves, and what a server has acknowledged leaves the disk with what goes out next: so a helping of
sixteen records costs one transaction, and a disk that hangs holds up nobody but the records themselves.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.errors import StateError, where_raised
from holdfast.events import AccountingQueued, AccountingSetAside, Event, InternalFault
from holdfast.gateway.radius_client import RadiusClient
from holdfast.policy.accounting_changes import Changes, Flight, Waiting
from holdfast.policy.accounting_line import ROUNDS, Line
from holdfast.policy.accounting_queue import AccountingQueue, Written
from holdfast.policy.accounting_records import times
from holdfast.radius.attributes import Attributes, read_attributes
from holdfast.radius.codes import Code
from holdfast.radius.dictionary import VALUES
from holdfast.radius.exchange_types import Outcome, Request, Sent

PAUSE = 0.01
"""Seconds between transactions: what happens meanwhile goes into one."""
RETRY = 1.0
"""Seconds until a disk that refused is tried again."""
SAME = 30.0
"""Seconds in which a record is sent again as it went out first, with an Acct-Delay-Time that is so much behind."""
COMPLAINT_INTERVAL = 60.0
"""Seconds between two log lines about records that found no room."""


@dataclass(slots=True)
class _UnderWay:
    """A record whose answer is awaited. `go`: what lets it leave once its `flight` is on disk; none before it is held
    and after it has left."""

    record: Waiting
    flight: Flight | None
    noted: bool
    go: Callable[[], None] | None = None

    def let_go(self) -> None:
        """Let it leave if it may."""
        if self.noted and self.go is not None:
            go, self.go = self.go, None
            go()


class Delivery:
    """Owns the queue from its beginning to `end`. `now` is the loop's clock, `clock` that of the wall."""

    def __init__(
        self,
        queue: AccountingQueue,
        client: RadiusClient,
        report: Callable[[Event, Mapping[str, Any]], None],
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._queue, self._client, self._report, self._now, self._clock = queue, client, report, now, clock
        self.changes = Changes()
        self.written_up_to: Callable[[int], None] = lambda _number: None
        """Is told of the highest number that is on disk."""
        self._unwritten: Changes | None = None
        """What is being written, or was refused by the disk."""
        self._unwritten_up_to = 0
        self._last, self._on_disk = queue.last, len(queue)
        self._line, self._flights = Line(), queue.flights()
        self._under_way: dict[int, _UnderWay] = {}
        self._wake, self._empty = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost, self._next_complaint = 0, float("-inf")
        self._refused = self._told_waiting = False
        self._work: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return how many records wait."""
        changes = [one for one in (self._unwritten, self.changes) if one is not None]
        return max(0, self._on_disk + sum(len(one.added) - len(one.removed) for one in changes))

    def state(self) -> dict[str, Any]:
        """Return what waits, how much of it is set aside, whether no server takes anything, and how each one is."""
        line = self._line
        return {"waiting": len(self), "aside": line.aside, "silent": line.silent, "servers": self._client.state()}

    def begin(self) -> None:
        """Begin to write and deliver."""
        self.rouse()
        self._work = asyncio.get_running_loop().create_task(self._run())

    async def end(self, patience: float) -> None:
        """Let what waits go out for a short while; what then waits is on disk when this returns."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), patience)
        tasks = [*self._tasks, *([self._work] if self._work else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(2):  # what was being written, and what came meanwhile
            await self._write(most=0)
        self._client.close()
        self._queue.close()

    # --- what is to be written -----------------------------------------------------------------------------

    def rouse(self) -> None:
        """Let everything that was changed be written soon."""
        self._empty.clear()
        self._wake.set()

    def next_number(self, least: int = 0) -> int:
        """Return the number of the next record; `put` it with that."""
        self._last = max(self._last + 1, least)
        return self._last

    def put(self, record: Waiting) -> None:
        """Append a record. One that finds no room is counted and told."""
        in_memory = len(self.changes.added) + (len(self._unwritten.added) if self._unwritten else 0)
        if in_memory >= self._queue.limit and not self._make_room(record):
            self._give_up([record.number])
            return
        self.changes.add(record)
        if self._line.last == record.number - 1 and self._line.room:
            self._line.put([record])
        self.rouse()

    def _make_room(self, new: Waiting) -> bool:
        """Give up an update that the disk has refused so far. False when there is none, or the new one is no more."""
        oldest = (
            None if new.update_only else next((n for n, row in self.changes.added.items() if row.update_only), None)
        )
        if oldest is None:
            return False
        self.changes.remove(oldest)
        self._give_up([oldest])
        return True

    def _give_up(self, numbers: list[int]) -> None:
        for number in numbers:
            self._line.forget(number)
            self._flights.pop(number, None)
        self._lost += len(numbers)
        now = self._now()
        if self._lost and now >= self._next_complaint:
            detail = f"the queue is full (radius.queue): {self._lost} records were given up, updates first"
            self._lost, self._next_complaint = 0, now + COMPLAINT_INTERVAL
            self._report(AccountingQueued(len(self), detail), {})

    # --- writing -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._awake()
            self._wake.clear()
            self._fill()
            await asyncio.sleep(0)  # what goes out says how, into the same transaction
            pause = PAUSE if await self._write(most=self._line.room) else RETRY
            self._let_go()
            self._tell_when_all_went()
            await asyncio.sleep(pause)

    async def _awake(self) -> None:
        deadline = self._line.deadline
        patience = None if deadline is None else max(0.0, deadline - self._now())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._wake.wait()

    async def _write(self, *, most: int) -> bool:
        """Write what waits; return whether that worked. The first failure in a row is told."""
        if self._unwritten is None:
            self._unwritten, self.changes, self._unwritten_up_to = self.changes, Changes(), self._last
        most = most if self._line.last < self._last else 0
        if not self._unwritten and not most:
            self._unwritten = None
            return True
        action = asyncio.to_thread(self._queue.write, self._unwritten, after=self._line.last, most=most)
        writing = asyncio.ensure_future(action)
        try:
            await asyncio.shield(writing)
        except StateError as error:
            if not self._refused:
                self._report(InternalFault("accounting", error.text()), {})
            self._refused = True
            self._wake.set()
        except asyncio.CancelledError:
            await asyncio.wait({writing})  # a thread cannot be stopped
            if writing.exception() is None:
                self._wrote(writing.result(), 0)
            raise
        else:
            self._wrote(writing.result(), most)
        return not self._refused

    def _wrote(self, written: Written, most: int) -> None:
        changes, self._unwritten, self._refused = self._unwritten or Changes(), None, False
        self._on_disk = written.waiting
        for number, flight in changes.launched.items():
            one = self._under_way.get(number)
            if one is not None and one.flight is flight:
                one.noted = True
        self._line.put(written.records)
        if len(written.records) < most:
            self._line.last = max(self._line.last, self._unwritten_up_to)
        if written.given_up:
            self._give_up(written.given_up)
        if written.records or self.changes:
            self._wake.set()
        self.written_up_to(self._unwritten_up_to)

    def _let_go(self) -> None:
        """Let leave what is on disk as it will look."""
        for one in list(self._under_way.values()):
            one.let_go()

    # --- delivering ----------------------------------------------------------------------------------------

    def _fill(self) -> None:
        while (record := self._line.next(self._now())) is not None:
            flight = self._flights.pop(record.number, None)
            self._under_way[record.number] = _UnderWay(record, flight, flight is not None)
            task = asyncio.get_running_loop().create_task(self._carry(record))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        for number in self._line.superseded():
            self.changes.remove(number)

    async def _carry(self, record: Waiting) -> None:
        """Send a record. One that cannot be sent at all must not stay for ever."""
        one = self._under_way[record.number]
        try:
            outcome = await self._send(one)
            while not outcome.accepted and one.go is not None:  # it is our disk that does not answer
                outcome = await self._send(one)
        except Exception as error:  # noqa: BLE001 - such as attributes of RADIUS that fit no packet together with ours
            detail = f"a record cannot be sent and is given up: {where_raised(error)}"
            self._report(InternalFault("accounting", detail), {})
            self._leaves(record.number)
        else:
            self._judge(record, outcome)
        self._wake.set()

    async def _send(self, one: _UnderWay) -> Outcome:
        record, now, one.go = one.record, self._clock(), None
        request = Request(Code.ACCOUNTING_REQUEST, (), written=record.octets + times(record.at, now))
        known = one.flight is not None and 0 <= now - one.flight.at <= SAME
        before = one.flight.sent if known and one.flight else None
        return await self._client.ask(request, before, lambda sent, go: self._hold(one, sent, go))

    def _hold(self, one: _UnderWay, sent: Sent, go: Callable[[], None]) -> None:
        """Let a record leave as soon as it is on disk how."""
        if one.flight is None or one.flight.sent != sent:
            one.flight, one.noted = Flight(self._clock(), sent), False
            self.changes.launch(one.record.number, one.flight)
            self.rouse()
        one.go = go
        one.let_go()

    def _judge(self, record: Waiting, outcome: Outcome) -> None:
        if outcome.accepted:
            self._leaves(record.number)
            return
        one = self._under_way.pop(record.number)
        if one.flight is not None and one.noted:
            self._flights[record.number] = one.flight
        first, too_much = self._line.in_vain(record.number, self._now(), alive=outcome.asked.alive)
        if first:
            lives = f"although {outcome.server} lives" if outcome.server else "although a server lives"
            self._tell_aside(record, f"not acknowledged in {ROUNDS} rounds, {lives}: it goes again now and then")
        if too_much is not None:
            self._leaves(too_much.number)
            self._tell_aside(too_much, "given up: too many records are never acknowledged")
        if self._line.silent and not self._told_waiting:
            self._told_waiting = True
            self._report(AccountingQueued(len(self), "no accounting server takes records; they wait on disk"), {})

    def _leaves(self, number: int) -> None:
        self._under_way.pop(number, None)
        self._flights.pop(number, None)
        self._line.done(number)
        self.changes.remove(number)

    def _tell_aside(self, record: Waiting, detail: str) -> None:
        status = Attributes(read_attributes(record.octets)).integer("Acct-Status-Type") or 0
        kind = VALUES["Acct-Status-Type"].get(status, str(status))
        context = {"session": record.session} if record.session else {}
        self._report(AccountingSetAside(kind, self._line.aside, detail), context)

    def _tell_when_all_went(self) -> None:
        left, aside = len(self), self._line.aside
        if left > aside:
            return
        self._empty.set()
        if self._told_waiting:
            self._told_waiting = False
            rest = f", but for {aside} set aside" if aside else ""
            self._report(AccountingQueued(left, f"all that waited was delivered{rest}"), {})
