"""A thread for each receiver: a bounded spool, batches, and patience with a receiver that is away."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from holdfast.events import Event, SinkFailed, SinkRecovered

SPOOL = 100_000
"""Lines that may wait for one receiver; more are counted as lost."""
BATCH = 500
FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
GOODBYE = 2.0
"""Seconds in which a receiver may take what still waits when the log ends."""


class RefusedError(Exception):
    """The receiver answered that it will never take `count` of these lines; sending them again would not help."""

    def __init__(self, why: str, count: int) -> None:
        super().__init__(why)
        self.count = count


class Sink(Protocol):
    """Sends lines to one receiver. OSError means that it may be tried again with the same lines."""

    name: str

    def send(self, lines: Sequence[bytes]) -> None:
        """Send lines, each a JSON object and a newline. RefusedError when the receiver does not want them."""

    def close(self) -> None:
        """Give the connection back."""


class SinkRunner:
    """Feeds one sink. Its `offer` never blocks; trouble and its end are told once each."""

    def __init__(
        self, sink: Sink, tell: Callable[[Event], object], *, spool: int = SPOOL, first_retry: float = FIRST_RETRY
    ) -> None:
        self._sink, self._tell = sink, tell
        self._spool, self._first_retry = spool, first_retry
        self._queue: deque[bytes] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._lost = 0
        self._failed_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many lines wait."""
        return len(self._queue)

    def offer(self, lines: list[bytes]) -> None:
        """Take lines; those that do not fit into the spool are lost, and counted."""
        room = self._spool - len(self._queue)
        if room < len(lines):
            self._lost += len(lines) - max(room, 0)
            lines = lines[: max(room, 0)]
        self._queue.extend(lines)
        self._wake.set()

    def close(self) -> None:
        """Send what can be sent soon, and end."""
        self._closing.set()
        self._wake.set()
        self._thread.join(GOODBYE)

    def _run(self) -> None:
        pause = self._first_retry
        while not (self._closing.is_set() and (not self._queue or self._failed_at)):
            if not self._queue:
                self._wake.wait()
                self._wake.clear()
                continue
            if self._deliver():
                pause = self._first_retry
            else:
                self._closing.wait(pause)
                pause = min(pause * 2, LONGEST_RETRY)
        self._sink.close()

    def _deliver(self) -> bool:
        """Send one batch; return whether it is off the queue."""
        batch = [self._queue[index] for index in range(min(BATCH, len(self._queue)))]
        try:
            self._sink.send(batch)
        except RefusedError as refusal:
            self._lost += refusal.count
            self._fail(f"{refusal} ({refusal.count} lines are lost)")
        except (OSError, ValueError) as error:
            self._sink.close()
            self._fail(str(error) or type(error).__name__)
            return False
        else:
            self._recover()
        for _ in batch:
            self._queue.popleft()
        return True

    def _fail(self, why: str) -> None:
        if not self._failed_at:
            self._failed_at = time.monotonic()
            self._tell(SinkFailed(self._sink.name, why))

    def _recover(self) -> None:
        if self._failed_at or self._lost:
            seconds = time.monotonic() - self._failed_at if self._failed_at else 0.0
            lost, self._lost, self._failed_at = self._lost, 0, 0.0
            self._tell(SinkRecovered(self._sink.name, round(seconds, 1), lost))
