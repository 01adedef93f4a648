"""The event log: JSON lines, one fact a line, chained, signed, written by a thread that never blocks who reports."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from holdfast.errors import where_raised
from holdfast.events import (
    ClockJumped,
    Event,
    InternalFault,
    LogFailed,
    LogOverflowed,
    LogRecovered,
    Severity,
)
from holdfast.observe.envelope import Envelopes
from holdfast.observe.log_file import LogFile, Place
from holdfast.observe.record import TimeWriter, build_record, encode
from holdfast.observe.rendering import event_text
from holdfast.secret import Secret

QUEUE_LIMIT = 600_000
"""Facts that may wait for the disk: a burst of half a million fits; beyond it they are counted as dropped."""
SLICE = 512
"""Facts chained and written in one go, nearly all of it without the GIL."""
SMALL_SLICE = 32
"""The same where names are replaced before, in Python (a control reply waits for one slice at most), or where files are
small: a file is closed between slices."""
USUAL_LINE = 1024
"""Octets, and more than a line usually has."""
PAUSE = 0.001
"""Seconds between slices: what is reported meanwhile makes one slice, not as many wake-ups as facts."""
RETRY = 1.0
TICK = 1.0
CLOCK_TOLERANCE = 2.0
CLOSING_PATIENCE = 10.0
COMPLAINT_INTERVAL = 60.0
"""Seconds between two lines about observers that fail."""

Listener = Callable[[dict[str, Any]], None]

Observer = Callable[[Event, Mapping[str, Any]], None]
"""Sees every event and its envelope, whatever the log's threshold: metrics and accounting must not depend on it."""

Result = TypeVar("Result")
_Entry = tuple[float, Event, Mapping[str, Any]] | bytes
"""What waits: the text of a fact (which the garbage collector does not look at, however many there are), or the fact
itself where it is to be disguised, since that asks a database."""


class Receiver(Protocol):
    """Who gets each line of the log besides the file. No call but `close` may block."""

    def offer(self, lines: list[bytes]) -> None:
        """Take lines, each with its newline."""

    def finish(self) -> None:
        """Deliver what can be delivered soon, and end."""

    def close(self) -> None:
        """Wait a little for that end."""


class Disguise(Protocol):
    """Who replaces names and addresses in a record by pseudonyms before it is written."""

    def apply(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record as it may be written."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How a log is kept. `state` (the log's own directory without it) holds the signing key.

    `segment_size` in octets, `sign_interval` in seconds, `spool` in facts. `key` opens encrypted segments. `connect` is
    asked once for the receivers, before the first line.
    """

    state: Path | None = None
    segment_size: int = 64 * 1024 * 1024
    sign_interval: float = 60.0
    spool: int = QUEUE_LIMIT
    key: Secret | None = None
    disguise: Disguise | None = None
    connect: "Callable[[EventLog], Sequence[Receiver]] | None" = None


class EventLog:
    """Takes events from the event loop and writes them in order.

    `listeners` see each record and `observers` each event on the caller's side; facts about the log itself they see on
    the writer's.
    `dropped` counts facts that are lost, `failed` says why the file cannot be written now ("" if it can).
    """

    def __init__(self, path: Path, threshold: Severity = Severity.INFO, options: LogOptions | None = None) -> None:
        self.options = options or LogOptions()
        self.threshold = threshold
        fitting = max(SMALL_SLICE, min(SLICE, self.options.segment_size // USUAL_LINE))
        self._slice = fitting if self.options.disguise is None else SMALL_SLICE
        self.dropped = 0
        self.failed = ""
        self.listeners: list[Listener] = []
        self.observers: list[Observer] = []
        self.traced: Callable[[Mapping[str, Any]], bool] | None = None
        """Says of a context whether its debug facts are written although the threshold is above them."""
        self._queue: deque[_Entry] = deque()
        self._requests: deque[tuple[Callable[[LogFile], Any], Future[Any]]] = deque()
        self._stamp = TimeWriter()
        self._envelopes = Envelopes()
        state = self.options.state or path.parent
        self.place = Place(path, state, self.options.segment_size, self._now_text, self.options.key)
        self._file = LogFile(self.place)
        self._idle = self._closing = False
        self._complain_at = float("-inf")
        self._wake = threading.Event()
        self._watch = _Watch(self.options.sign_interval)
        self.receivers = list(self.options.connect(self)) if self.options.connect else []
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)
        self._thread.start()

    @property
    def threshold(self) -> Severity:
        """The least severity that is written."""
        return self._threshold

    @threshold.setter
    def threshold(self, least: Severity) -> None:
        levels = tuple(Severity)
        self._threshold, self._unwanted = least, levels[: levels.index(least)]

    @property
    def backlog(self) -> int:
        """How many facts wait for the disk."""
        return len(self._queue) + self._file.waiting

    @property
    def seq(self) -> int:
        """Number of the last line, which may not be on the disk yet."""
        return self._file.seq

    def wants(self, severity: Severity) -> bool:
        """Whether an event of this severity would be written."""
        return severity not in self._unwanted

    def emit(self, event: Event, context: Mapping[str, Any]) -> None:
        """Report a fact. Returns at once; `context` must not be changed afterwards."""
        self._observe(event, context)
        context = self._envelopes.complete(event, context)
        if event.level() in self._unwanted and not (self.traced and self.traced(context)):
            return
        now = time.time()
        if self.listeners:
            self._tell_listeners(event, context, now)
        if self.backlog >= self.options.spool:
            self.dropped += 1
            self._watch.lost += 1
            return
        self._queue.append(
            self._written(now, event, context) if self.options.disguise is None else (now, event, context)
        )
        self._rouse()

    def request(self, action: Callable[[LogFile], Result]) -> "Future[Result]":
        """Let the writer's thread do something with the file, behind all that was reported before."""
        future: Future[Result] = Future()
        self._requests.append((action, future))
        self._rouse()
        return future

    def tell(self, event: Event) -> None:
        """Report a fact about the log itself, whatever the threshold, from any thread. Returns at once."""
        self.request(lambda _: self._tell(event))

    def close(self) -> None:
        """Write what waits, sign, and close the file and every receiver."""
        self._closing = True
        self._wake.set()
        self._thread.join(CLOSING_PATIENCE)
        for receiver in self.receivers:
            receiver.finish()
        for receiver in self.receivers:
            receiver.close()

    # --- the caller's side ---------------------------------------------------------------------------------

    def _rouse(self) -> None:
        if self._idle:
            self._idle = False
            self._wake.set()

    def _observe(self, event: Event, context: Mapping[str, Any]) -> None:
        """Show an event to whoever counts by it; one that fails is told once a minute, and stands in nobody's way."""
        for observer in self.observers:
            try:
                observer(event, context)
            except Exception as error:  # noqa: BLE001 - what is reported must be told all the same
                now = time.monotonic()
                if now >= self._complain_at:
                    self._complain_at = now + COMPLAINT_INTERVAL
                    self.tell(InternalFault("event log", f"{event.name} could not be counted: {where_raised(error)}"))

    def _tell_listeners(self, event: Event, context: Mapping[str, Any], now: float) -> None:
        record = build_record(event, context, self._stamp(now))
        for listener in self.listeners:
            listener(record)

    # --- the writer's side ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while not (self._closing and not self._queue and not self._requests):
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - the log must outlive any fault of ours
                self._tell(InternalFault("event log", f"{type(error).__name__}: {error}"))
        self._finish()

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._watch.next_tick:
            self._tick(now)
        batch = self._take()
        if batch:
            self._compose(batch)
        elif self._requests:
            self._serve_request()
        self._flush(now)
        self._deliver()
        if batch:
            time.sleep(PAUSE)
        else:
            self._rest()

    def _take(self) -> list[_Entry]:
        queue = self._queue
        return [queue.popleft() for _ in range(min(self._slice, len(queue)))]

    def _rest(self) -> None:
        """Sleep until there is something to do. Who reports in between sees `_idle` or is seen here."""
        self._idle = True
        if not self._queue and not self._requests and not self._closing:
            self._wake.wait(RETRY if self._file.waiting else TICK)
        self._idle = False
        self._wake.clear()

    def _compose(self, batch: Iterable[_Entry]) -> None:
        texts = [entry if isinstance(entry, bytes) else self._written(*entry) for entry in batch]
        self._watch.unsafe += len(texts)
        self._file.add(texts)

    def _written(self, at: float, event: Event, context: Mapping[str, Any]) -> bytes:
        """Return the text of a fact. A fault of ours costs this one fact its words, and no other."""
        stamp, disguise = self._stamp(at), self.options.disguise
        try:
            if disguise is None:
                return event_text(event, context, stamp)
            return encode(disguise.apply(build_record(event, context, stamp)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the facts behind it must be written
            fault = InternalFault("event log", f"{type(error).__name__} while {event.name} was written")
            return encode(build_record(fault, {}, stamp))

    def _deliver(self) -> None:
        """Hand on what was chained, whether the file could be written or not."""
        octets = self._file.fresh()
        if octets and self.receivers:
            lines = octets.splitlines(keepends=True)
            for receiver in self.receivers:
                receiver.offer(lines)

    def _flush(self, now: float) -> None:
        """Write what waits; a file that fails is tried again every second, and the first failure is told."""
        if self.failed and now < self._watch.retry_at:
            return
        try:
            if now >= self._watch.sign_at and self._file.seq != self._watch.signed_seq:
                self._file.sign()
                self._watch.signed(now, self._file.seq)
            else:
                self._file.flush()
        except OSError as error:
            self._fail(f"{error.filename or self.place.path}: {error.strerror}", now)
        else:
            self._watch.unsafe = 0
            if self.failed:
                self._recover(now)

    def _fail(self, why: str, now: float) -> None:
        first, self.failed, self._watch.retry_at = not self.failed, why, now + RETRY
        if first:
            self._watch.failed_at = now
            self._tell(LogFailed(why, self.backlog))

    def _recover(self, now: float) -> None:
        why, self.failed = self.failed, ""
        self._tell(LogRecovered(why, round(now - self._watch.failed_at, 1)))

    def _tell(self, event: Event) -> None:
        """Report a fact about the log itself."""
        now = time.time()
        self._observe(event, {})
        self._tell_listeners(event, {}, now)
        self._file.add([self._written(now, event, {})])

    def record(self, event: Event) -> "Future[None]":
        """Bring a fact about the log itself to the disk, signed; the future is done when it is there."""

        def write(file: LogFile) -> None:
            file.add([self._written(time.time(), event, {})])
            file.sign()

        return self.request(write)

    def _tick(self, now: float) -> None:
        """Do what is due about once a second."""
        watch = self._watch
        watch.next_tick = now + TICK
        if jump := watch.clock_jump(now):
            self._tell(ClockJumped(round(jump, 1)))
        if watch.lost and self.backlog < self.options.spool // 2:
            lost, watch.lost = watch.lost, 0
            self._tell(LogOverflowed(lost, f"more than {self.options.spool} facts waited"))
        if self._file.vanished():
            self._tell(
                LogFailed(f"{self.place.path} was taken away, or lines out of it; a new file is begun", self.backlog)
            )

    def _serve_request(self) -> None:
        action, future = self._requests.popleft()
        try:
            future.set_result(action(self._file))
        except Exception as error:  # noqa: BLE001 - the caller gets it
            future.set_exception(error)

    def _finish(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.failed = f"{self.place.path}: {error.strerror}"
            self.dropped += self._watch.unsafe
        self._deliver()

    def _now_text(self) -> str:
        return self._stamp(time.time())


class _Watch:
    """The writer's clocks and counts. Times are monotonic seconds."""

    def __init__(self, sign_interval: float) -> None:
        now = time.monotonic()
        self._sign_interval = sign_interval
        self.next_tick, self.sign_at = now + TICK, now + sign_interval
        self.signed_seq = 0
        self.failed_at = self.retry_at = 0.0
        self.lost = 0
        """Facts dropped since that was last told."""
        self.unsafe = 0
        """Facts composed and not yet on the disk."""
        self._offset = time.time() - now

    def signed(self, now: float, seq: int) -> None:
        """Remember a signature, which covers everything up to line `seq`."""
        self.sign_at, self.signed_seq = now + self._sign_interval, seq

    def clock_jump(self, now: float) -> float:
        """Return by how many seconds the wall clock was set since the last call, 0 when it was not."""
        offset = time.time() - now
        jump, self._offset = offset - self._offset, offset
        return jump if abs(jump) > CLOCK_TOLERANCE else 0.0
