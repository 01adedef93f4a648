"""The file of the event log: appending chained lines, signing the head, closing full segments, surviving trouble.

Lines that are composed and not yet on the disk wait here, so a disk that is full for a while costs nothing. Used by
one thread at a time.
"""

import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import StateError
from holdfast.events import Event, LogOpened, LogSigned
from holdfast.observe.head import Head, write_head
from holdfast.observe.log_tail import newest_octets, take_up
from holdfast.observe.rendering import chain_lines, event_text
from holdfast.observe.segments import closed_path, first_link, forms
from holdfast.observe.signing import SigningKey, head_message
from holdfast.policy.files import give_to_owner_of, no_links_of_others
from holdfast.secret import Secret


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log lies and how it is cut.

    `state` holds the signing key, `segment_size` (octets) closes a segment, `stamp` tells the time as ISO 8601 text,
    `key` opens segments that are encrypted.
    """

    path: Path
    state: Path
    segment_size: int
    stamp: Callable[[], str]
    key: Secret | None = None


class LogFile:
    """An open event log.

    OSError comes out of `flush`, `sign`, `rotate` and `close`. Nothing is lost then: the lines wait and can be written
    by the next call. StateError comes out of the constructor when the place cannot be used at all.
    """

    def __init__(self, place: Place) -> None:
        self._place, self.path = place, place.path
        self._waiting: list[bytes] = []
        self._fresh: list[bytes] = []
        self.waiting = 0
        """How many lines are not on the disk yet."""
        self._descriptor = self._lock = -1
        self._regular = False
        self._inode = (0, 0)
        self.size = 0
        self.on_closed: Callable[[], None] = _nothing
        """Called when a segment was closed: it can be packed now."""
        self._first, self._day = 1, ""
        self._signed = 0
        """Number of the last line that is a signature."""
        self._half_written = False
        """Whether the file may end in lines that still wait."""
        self._previous = ""
        """The segment that was closed and has no successor yet."""
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            self._key = SigningKey.open(place.state)
            self._lock = _lock(place)
            tail = take_up(self.path, place.state, self._key.public, place.key)
            self.seq, self.chain = tail.seq, tail.chain
            self._open("", tail.detail, tail.torn)
        except OSError as error:
            self._give_back()
            raise StateError(
                f"cannot write the event log: {error.strerror}",
                where=str(self.path),
                fix="Make a directory that this user may write to, or choose another.",
            ) from error

    def fresh(self) -> bytes:
        """Return the lines that were chained since the last call, those about the log itself included."""
        fresh, self._fresh = self._fresh, []
        return b"".join(fresh)

    def add(self, texts: list[bytes]) -> None:
        """Chain JSON objects to the log; the lines wait for `flush`."""
        octets, self.chain = chain_lines(texts, self.seq, self.chain)
        self.seq += len(texts)
        self.waiting += len(texts)
        self._waiting.append(octets)
        self._fresh.append(octets)

    def add_event(self, event: Event) -> None:
        """Chain a fact about the log itself."""
        self.add([event_text(event, {}, self._place.stamp())])

    def flush(self) -> None:
        """Write what waits; close the segment when it is full or of another day."""
        if self._descriptor < 0:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open(self._previous, "" if self._previous else "the file before this one is gone")
        if self._waiting:
            self._write()
        if self._regular and (self.size >= self._place.segment_size or self._day != self._today()):
            self.rotate()

    def sign(self) -> None:
        """Sign the head, and see to it that everything up to it is on the disk."""
        self.flush()  # a disk that takes nothing is tried every second: no signature waits for each time
        self._add_signature()
        self.flush()
        self._keep_head()

    def rotate(self) -> Path:
        """Close the segment, signed, and begin another; return the closed one."""
        self._add_signature()
        self._write()
        self._keep_head()
        target = closed_path(self.path, self._first)
        if forms(target):  # an old file was put back by hand: no segment takes another's place
            target = closed_path(self.path, self.seq)
        self.path.rename(target)
        self._close()
        self._previous = target.name
        self._open(self._previous)
        self._write()
        self.on_closed()
        return target

    def vanished(self) -> bool:
        """Whether somebody took the file away, or lines out of it. The next `flush` begins a new one, or goes on."""
        if self._descriptor < 0 or not self._regular:
            return False
        with suppress(OSError):
            there = self.path.stat()
            if (there.st_dev, there.st_ino) == self._inode and there.st_size >= self.size:
                return False
        self._close()
        return True

    def close(self) -> None:
        """Sign, and give the file back. OSError when what waits cannot be written; the file is closed all the same."""
        try:
            self.sign()
        finally:
            self._give_back()

    # --- inside --------------------------------------------------------------------------------------------

    def _today(self) -> str:
        return self._place.stamp()[:10]

    def _add_signature(self) -> None:
        if self._signed == self.seq:
            return
        signature = self._key.sign(head_message(self.seq, self.chain)).hex()
        self.add_event(LogSigned(self.seq, self.chain.hex(), self._key.public.fingerprint, signature))
        self._signed = self.seq

    def _keep_head(self) -> None:
        """Bring file and head to the disk: what is signed survives a power cut."""
        if self._regular:
            os.fsync(self._descriptor)
            signature = self._key.sign(head_message(self.seq, self.chain))
            write_head(self._place.state, self.path, Head(self.seq, self.chain, signature))

    def _write(self) -> None:
        """Write what waits. When the disk takes only a part, that is taken back, so that no line is torn."""
        octets = memoryview(b"".join(self._waiting))
        written = 0
        self._take_back()
        try:
            while written < len(octets):
                written += os.write(self._descriptor, octets[written:])
        except OSError:
            self._half_written = self._regular and written > 0
            self._take_back()
            raise
        self.size += written
        self._waiting, self.waiting = [], 0

    def _take_back(self) -> None:
        """Cut off what was written of lines that still wait. That may fail too; then it is done before the next."""
        if self._half_written:
            os.ftruncate(self._descriptor, self.size)
            self._half_written = False

    def _open(self, previous: str, detail: str = "", torn: int = 0) -> None:
        """Open the file; its first line, or the first since this start, tells what it goes on from."""
        self._descriptor = _open_or_make(self.path, os.O_WRONLY | os.O_APPEND)
        found = os.fstat(self._descriptor)
        self._regular = stat.S_ISREG(found.st_mode)
        self._inode, self.size = (found.st_dev, found.st_ino), found.st_size if self._regular else 0
        self._first, self._day = self.seq + 1 - self.waiting, self._today()
        if self.size and (first := first_link(self.path)):
            self._first, self._day = first.seq, first.day
        if self.size and not newest_octets(self.path).endswith(b"\n"):
            self._waiting.insert(0, b"\n")  # somebody cut it short: no line of ours hangs on half of another
        self._half_written, self._previous = False, ""
        self.add_event(LogOpened(self.chain.hex(), previous, torn, detail))

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _give_back(self) -> None:
        self._close()
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1


def _nothing() -> None:
    """Nobody packs segments."""


def _open_or_make(path: Path, flags: int) -> int:
    """Open a file; one that is new belongs to whom its directory belongs to."""
    flags |= os.O_CLOEXEC | no_links_of_others(path.parent)
    with suppress(FileExistsError):
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        give_to_owner_of(path.parent, descriptor)
        return descriptor
    return os.open(path, flags)


def _lock(place: Place) -> int:
    """Make sure that nobody else writes to this log. StateError when somebody does."""
    path = place.state / f"{place.path.stem}.lock"
    descriptor = _open_or_make(path, os.O_WRONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StateError(
            "another process writes this event log", where=str(place.path), fix="Ask the gateway instead; it runs."
        ) from None
    return descriptor
