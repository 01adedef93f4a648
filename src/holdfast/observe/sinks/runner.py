"""A thread for each receiver: a bounded spool, batches, and patience with a receiver that is away."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from holdfast.errors import where_raised
from holdfast.events import Event, SinkFailed, SinkRecovered
from holdfast.observe.chain import STUB, seq_of
from holdfast.observe.log_cursor import LogCursor

SPOOL = 100_000
"""Lines that may wait in memory for one receiver."""
BATCH = 500
FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
LOOK = 0.5
"""Seconds between looks at a log that is behind what was offered."""
GOODBYE = 2.0
"""Seconds in which a receiver may take what still waits when the log ends."""


class RefusedError(Exception):
    """The receiver answered that it will never take `count` of these lines; sending them again would not help."""

    def __init__(self, why: str, count: int) -> None:
        super().__init__(why)
        self.count = count


class Sink(Protocol):
    """Sends lines to one receiver. OSError means that it may be tried again with the same lines; with anything but that
    and RefusedError they are tried again in halves."""

    name: str

    def send(self, lines: Sequence[bytes]) -> None:
        """Send lines, each a JSON object and a newline. RefusedError when the receiver does not want them, ValueError
        when they cannot be sent as they are."""

    def close(self) -> None:
        """Give the connection back."""


class Book(Protocol):
    """What a sink that resumes needs: its place in the log, and a way to read on from a place."""

    def read(self) -> int | None:
        """Return the number of the last line delivered, None when nothing is known."""

    def write(self, seq: int) -> None:
        """Remember the number of the last line delivered."""

    def cursor(self, seq: int) -> LogCursor:
        """Return a cursor behind line `seq`."""

    def close(self) -> None:
        """Give everything back."""


class SinkRunner:
    """Feeds one sink. Its `offer` never blocks; trouble and its end are told once each.

    Lines wait in memory up to `spool`. With a `book` the log itself is the spool beyond that, and over restarts: a sink
    that falls behind reads on from the file, where it was, until it has caught up. Without one they are lost.
    """

    def __init__(
        self,
        sink: Sink,
        tell: Callable[[Event], object],
        *,
        spool: int = SPOOL,
        first_retry: float = FIRST_RETRY,
        book: Book | None = None,
    ) -> None:
        self._sink, self._tell, self._book = sink, tell, book
        self._spool, self._first_retry = spool, first_retry
        self._lock = threading.Lock()
        self._queue: deque[bytes] = deque()
        self._batch: list[bytes] = []
        """What is being sent."""
        self._at = book.read() if book is not None else None
        """Number of the last line that the sink took; None while nothing is known."""
        self._newest = self._at or 0
        """Number of the last line that was offered, or stands in the queue."""
        self._begun = False
        """Whether anything was offered."""
        self._behind = False
        """Lines behind those in the queue were not kept: they are to be read from the log."""
        self._cursor: LogCursor | None = None
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._lost = 0
        self._failed_at = 0.0
        self._tried_at = float("-inf")
        """When a delivery failed last."""
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many lines wait in memory."""
        return len(self._queue) + len(self._batch)

    def offer(self, lines: list[bytes]) -> None:
        """Take lines. Those that do not fit into the spool are read from the log later, or lost and counted."""
        with self._lock:
            if self._book is not None:
                self._offer_numbered(lines)
            else:
                room = max(0, self._spool - self.waiting)
                self._lost += max(0, len(lines) - room)
                self._queue.extend(lines[:room])
        self._wake.set()

    def finish(self) -> None:
        """Send what can be sent soon, and end. Returns at once; `close` waits for that."""
        self._closing.set()
        self._wake.set()

    def close(self) -> None:
        """Send what can be sent soon, and end."""
        self.finish()
        self._thread.join(GOODBYE)

    def _offer_numbered(self, lines: list[bytes]) -> None:
        first, last = seq_of(lines[0]), seq_of(lines[-1])
        if not self._begun and (self._at is None or first <= self._at):
            # A new sink begins here; so does one whose log is not the one it knew.
            self._at = self._newest = first - 1
            self._note()
        self._begun = True
        if not self._behind:
            # What was read from the log a moment before it was offered is here already.
            lines = lines[max(0, self._newest + 1 - first) :]
            self._behind = first > self._newest + 1 or len(lines) > self._spool - self.waiting
        self._newest = max(self._newest, last)
        if not self._behind:
            self._queue.extend(lines)

    def _run(self) -> None:
        pause = self._first_retry
        while not (self._closing.is_set() and (self._failed_at or not self._pending())):
            if not self._batch and not self._take():
                # Behind, but the log's file has no more yet: it cannot be written, or will be in a moment.
                self._wake.wait(LOOK if self._behind else None)
                self._wake.clear()
            elif self._deliver():
                # One that takes a batch and fails at the next is not well yet, and each change is an event.
                if time.monotonic() - self._tried_at > LONGEST_RETRY:
                    pause = self._first_retry
            else:
                self._tried_at = time.monotonic()
                self._closing.wait(pause)
                pause = min(pause * 2, LONGEST_RETRY)
        self._sink.close()
        if self._book is not None:
            self._drop_cursor()
            self._book.close()

    def _pending(self) -> bool:
        return bool(self._batch or self._queue)

    def _take(self) -> bool:
        """Take a batch from the queue, else from the log; return whether there was any."""
        with self._lock:
            self._batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if self._batch or not self._behind or self._book is None:
                return bool(self._batch)
        self._batch = self._read_on(self._book)
        return bool(self._batch)

    def _read_on(self, book: Book) -> list[bytes]:
        """Return the next lines of the log; when there are no more and none was offered since, it has caught up."""
        at = self._at or 0
        if self._cursor is None:
            self._cursor = book.cursor(at)
        lines = self._cursor.read(BATCH)
        if lines:
            self._lost += seq_of(lines[-1]) - at - len(lines)
            return lines
        with self._lock:
            if at >= self._newest:
                self._newest, self._behind = at, False
                self._drop_cursor()
        return []

    def _drop_cursor(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
        self._cursor = None

    def _deliver(self) -> bool:
        """Send the batch; return whether it is done with."""
        try:
            refusals = self._send([line for line in self._batch if not line.startswith(STUB)])
        except OSError as error:
            self._sink.close()
            self._fail(str(error) or type(error).__name__)
            return False
        if refusals:
            count = sum(refusal.count for refusal in refusals)
            self._lost += count
            self._fail(f"{refusals[0]} ({count} lines are lost)")
        else:
            self._recover()
        if self._book is not None:
            self._at = seq_of(self._batch[-1])
            self._note()
        self._batch = []
        return True

    def _send(self, lines: list[bytes]) -> list[RefusedError]:
        """Send lines; return what was refused for good. OSError comes through.

        What cannot be sent as it is (too much at once, or a damaged line among the others, which is no record any more)
        goes in halves, so that a line that nobody can send costs itself and no other.
        """
        if not lines:
            return []
        try:
            self._sink.send(lines)
        except RefusedError as refusal:
            return [refusal]
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the lines behind must go on
            if len(lines) > 1:
                half = len(lines) // 2
                return [*self._send(lines[:half]), *self._send(lines[half:])]
            self._sink.close()
            said = str(error) if isinstance(error, ValueError) else where_raised(error)
            return [RefusedError(f"a line cannot be sent: {said}", 1)]
        return []

    def _note(self) -> None:
        if self._book is not None and self._at is not None:
            self._book.write(self._at)

    def _fail(self, why: str) -> None:
        if not self._failed_at:
            self._failed_at = time.monotonic()
            self._tell(SinkFailed(self._sink.name, why))

    def _recover(self) -> None:
        if self._failed_at or self._lost:
            seconds = time.monotonic() - self._failed_at if self._failed_at else 0.0
            lost, self._lost, self._failed_at = self._lost, 0, 0.0
            self._tell(SinkRecovered(self._sink.name, round(seconds, 1), lost))
