"""The event log: JSON lines, one fact a line, written by a thread that never blocks who reports."""

import json
import os
import queue
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast.errors import StateError
from holdfast.events import Event, Severity
from holdfast.observe.record import make_record

QUEUE_LIMIT = 600_000
"""Records that may wait for the disk: a burst of half a million fits; beyond it facts are counted as dropped."""

ORDER = list(Severity)

Listener = Callable[[dict[str, Any]], None]

Observer = Callable[[Event, Mapping[str, Any]], None]
"""Sees every event and its envelope, whatever the log's threshold: metrics and accounting must not depend on it."""


class EventLog:
    """Takes events from the event loop and writes them in order. `listeners` see each record on the caller's side."""

    def __init__(self, path: Path, threshold: Severity = Severity.INFO) -> None:
        self.threshold = threshold
        self.dropped = 0
        self.failed = ""
        self.listeners: list[Listener] = []
        self.observers: list[Observer] = []
        self._queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._path = path
        self._descriptor = _open(path)
        self._thread = threading.Thread(target=self._write_all, name="event-log", daemon=True)
        self._thread.start()

    def wants(self, severity: Severity) -> bool:
        """Whether an event of this severity would be written."""
        return ORDER.index(severity) >= ORDER.index(self.threshold)

    def emit(self, event: Event, context: Mapping[str, Any]) -> None:
        """Report a fact. Returns at once."""
        for observer in self.observers:
            observer(event, context)
        if not self.wants(event.severity):
            return
        record = make_record(event, context, datetime.now(UTC))
        for listener in self.listeners:
            listener(record)
        if self._queue.qsize() >= QUEUE_LIMIT:
            self.dropped += 1
            return
        self._queue.put(record)

    def close(self) -> None:
        """Write what waits and close the file."""
        self._queue.put(None)
        self._thread.join()
        os.close(self._descriptor)

    def _write_all(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._write(batch)

    def _next_batch(self) -> list[dict[str, Any]] | None:
        """Wait for one record and take what else is ready; None when the log was closed and all is written."""
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < 1000 and not self._queue.empty():
            record = self._queue.get()
            if record is None:
                self._queue.put(None)
                break
            batch.append(record)
        return batch

    def _write(self, batch: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in batch)
        waiting = memoryview(lines.encode("utf-8", "backslashreplace"))
        try:
            while waiting:
                waiting = waiting[os.write(self._descriptor, waiting) :]
            self.failed = ""
        except OSError as error:
            self.dropped += bytes(waiting).count(b"\n")
            self.failed = f"{self._path}: {error.strerror}"


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(
            f"cannot write the event log: {error.strerror}",
            where=str(path),
            fix="Make the directory writable, or choose another.",
        ) from error
