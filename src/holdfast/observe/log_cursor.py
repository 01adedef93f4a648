"""Reading a log on from a line number while it is written, through rotation and packing: the log as its own spool."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import StateError
from holdfast.observe.chain import seq_of
from holdfast.observe.segments import Segment, lines, segments
from holdfast.secret import Secret

NEAR = 64 * 1024
"""Octets before a line is looked for one by one."""
WINDOW = 4 * 1024 * 1024
"""Octets at the end of the file being written; what a busy gateway says at debug in several seconds."""


class LogCursor:
    """Stands behind line `seq` of a log. One thread at a time; `close` it."""

    def __init__(self, log: Path, key: Secret | None, seq: int) -> None:
        self._log, self._key, self.seq = log, key, seq
        self._closed: Iterator[bytes] | None = None
        self._open: BinaryIO | None = None

    def read(self, most: int) -> list[bytes]:
        """Return the next lines with their newlines, at most so many; none when there are no more by now.

        Lines that are gone, or in a segment that cannot be read, are passed over: the numbers tell.
        """
        found: list[bytes] = []
        while len(found) < most and (line := self._next()):
            self.seq = seq_of(line)
            found.append(line)
        return found

    def close(self) -> None:
        """Give the file back."""
        if self._open is not None:
            self._open.close()
        self._open = self._closed = None

    def _next(self) -> bytes:
        for _ in range(2):
            if self._closed is None and self._open is None:
                self._begin()
            if self._closed is not None:
                line = next(self._closed, b"")
                if line:
                    return line
                self._closed = None
            if self._open is not None:
                line = self._whole_line(self._open)
                if line or not self._replaced(self._open):
                    return line
                # The file was closed as a segment, with all that it was still to get: read that, then the new one.
                line = self._whole_line(self._open)
                if line:
                    return line
                self.close()
        return b""

    def _begin(self) -> None:
        # Opened before the list is made: what is rotated away in between is in the list, and read twice at worst.
        with suppress(OSError):
            self._open = self._log.open("rb")
        self._closed = self._newer(iter([one for one in segments(self._log) if not one.is_open]))
        if self._open is not None:
            _seek(self._open, self.seq)

    def _newer(self, closed: Iterator[Segment]) -> Iterator[bytes]:
        """Yield the lines of closed segments behind `seq`; a segment is opened only when its successor begins there."""
        segment = next(closed, None)
        while segment is not None:
            after = next(closed, None)
            if after is None or after.first > self.seq + 1:
                with suppress(StateError):
                    yield from (line for line in lines(segment.path, self._key) if seq_of(line) > self.seq)
            segment = after

    def _whole_line(self, file: BinaryIO) -> bytes:
        """Return the next whole line behind `seq` of the file being written; half a line is left for later."""
        while True:
            at = file.tell()
            line = file.readline()
            if not line.endswith(b"\n"):
                file.seek(at)
                return b""
            if seq_of(line) > self.seq:
                return line

    def _replaced(self, file: BinaryIO) -> bool:
        """Whether the name stands for another file by now, or the file lost what was read."""
        try:
            there = self._log.stat()
        except OSError:
            return False
        return there.st_ino != os.fstat(file.fileno()).st_ino or there.st_size < file.tell()


def last_seq(log: Path, key: Secret | None) -> int:
    """Return the number of the last whole line there is, 0 when there is none. StateError when it cannot be read."""
    for segment in reversed(segments(log)):
        found: Iterable[bytes] = reversed(end_of(log)) if segment.is_open else lines(segment.path, key)
        numbers = filter(None, map(seq_of, found))
        seq = next(numbers, 0) if segment.is_open else max(numbers, default=0)
        if seq:
            return seq
    return 0


def end_of(log: Path) -> list[bytes]:
    """Return the last lines of the file being written, without half a line at either end; none when it is not there."""
    try:
        with log.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - WINDOW)
            file.seek(start)
            octets = file.read(WINDOW)
    except OSError:
        return []
    return octets.split(b"\n")[1 if start else 0 : -1]


def _seek(file: BinaryIO, seq: int) -> None:
    """Go close before the line after `seq` in a file of numbered lines, by halving."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while high - low > NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        if 0 < seq_of(file.readline()) <= seq:
            low = middle
        else:
            high = middle
    file.seek(low)
    if low:
        file.readline()
