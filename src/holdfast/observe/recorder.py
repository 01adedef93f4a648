"""The flight recorder: the last control messages and PPP frames of each session, written down when it fails.

A `Tape` belongs to whoever records (a control connection, a session) and goes away with it; it is bounded and empty
until something happens. `Recorder.keep` turns two tapes into a pcapng file, in a thread of its own.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter
from pathlib import Path
from threading import Semaphore

from holdfast.errors import WANTED_ENDS, DisconnectReason, HoldfastError
from holdfast.events import Direction
from holdfast.observe.recorder_packets import Conversation, Ends
from holdfast.observe.recorder_pcapng import Packet, write
from holdfast.observe.recorder_redaction import Kept, redact
from holdfast.policy.files import make_private_file, private_directory

ENTRY_COST = 160
"""Octets that Python needs for an entry besides its data, so that a flood of small ones stays within bounds too."""
LONGEST_ENTRY = 2048
"""Octets kept of one entry: the largest PPP frame, and many times the largest control message."""
MAX_WAITING = 100
"""Captures that may wait for the disk."""
SUFFIX = ".pcapng"

EXPLANATION = (
    "Addresses, call IDs, control messages and PPP frames are real; TCP and GRE numbers and the client's port are "
    "made up. Secrets are zeros, user traffic was never recorded."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that went by. `time` in seconds since 1970."""

    time: float
    direction: Direction
    kept: Kept
    control: bool


class Tape:
    """The last entries, within so many octets; none at all with a limit of 0."""

    __slots__ = ("_clock", "_entries", "_limit", "_size", "lost")

    def __init__(self, limit: int, clock: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._clock = clock
        self._entries: deque[Entry] | None = None
        self._size = 0
        self.lost = 0

    def message(self, direction: Direction, octets: bytes) -> None:
        """Record octets of the control connection."""
        if self._limit:
            self._add(Entry(self._clock(), direction, Kept(octets[:LONGEST_ENTRY], len(octets)), control=True))

    def frames(self, direction: Direction, frames: Iterable[bytes]) -> None:
        """Record PPP frames (protocol field of two octets first), without their secrets."""
        if self._limit:
            for frame in frames:
                kept = redact(frame)
                kept = Kept(kept.octets[:LONGEST_ENTRY], kept.original, kept.comment)
                self._add(Entry(self._clock(), direction, kept, control=False))

    def entries(self) -> list[Entry]:
        """Return what is on the tape, oldest first."""
        return list(self._entries or ())

    def _add(self, entry: Entry) -> None:
        if self._entries is None:
            self._entries = deque()
        self._entries.append(entry)
        self._size += ENTRY_COST + len(entry.kept.octets)
        while self._size > self._limit and len(self._entries) > 1:
            self._size -= ENTRY_COST + len(self._entries.popleft().kept.octets)
            self.lost += 1


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """Where captures go and how many are kept; sizes in octets. `session_octets` 0: nothing is recorded."""

    directory: Path
    session_octets: int = 16_384
    control_octets: int = 8192
    keep_files: int = 200
    keep_octets: int = 50_000_000
    per_minute: int = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that ended, for the comment of its capture."""

    session: str
    user: str
    ends: Ends
    reason: DisconnectReason
    evidence: str

    def comment(self, lost: int) -> str:
        """Return the text in front of the capture."""
        lines = [
            f"session {self.session} of {self.user or 'nobody yet'}, client {self.ends.client}",
            f"ended: {self.reason}: {self.evidence}",
            EXPLANATION,
        ]
        if lost:
            lines.append(f"{lost} earlier entries did not fit.")
        return "\n".join(lines)


class Recorder:
    """Gives out tapes, and keeps those of sessions that fail. `failed` is told why one could not be kept, from
    another thread."""

    def __init__(
        self, options: RecorderOptions, failed: Callable[[str], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._options = options
        self._failed = failed
        self._clock = clock
        self._writer = ThreadPoolExecutor(1, "recorder")
        self._room = Semaphore(MAX_WAITING)
        self._minute, self._in_minute = 0, 0

    def control_tape(self) -> Tape:
        """Return the tape of a control connection."""
        return Tape(self._options.control_octets if self._options.session_octets else 0, self._clock)

    def session_tape(self) -> Tape:
        """Return the tape of a session."""
        return Tape(self._options.session_octets, self._clock)

    def keep(self, ended: Ended, control: Tape, session: Tape) -> str:
        """Write the capture of a session that failed; return where it will be, empty when none is written.

        Returns at once. A session that ended as somebody wanted leaves none, nor do more than so many in a minute.
        """
        entries = list(merge(control.entries(), session.entries(), key=attrgetter("time")))
        if ended.reason in WANTED_ENDS or not entries or not self._may_write():
            return ""
        path = self._options.directory / f"{ended.session}{SUFFIX}"
        comment = ended.comment(control.lost + session.lost)
        self._writer.submit(self._write, path, comment, ended.ends, entries)
        return str(path)

    def close(self) -> None:
        """Write what waits."""
        self._writer.shutdown()

    def _may_write(self) -> bool:
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._in_minute = minute, 0
        if self._in_minute >= self._options.per_minute or not self._room.acquire(blocking=False):
            return False
        self._in_minute += 1
        return True

    # --- the writer's thread -------------------------------------------------------------------------------

    def _write(self, path: Path, comment: str, ends: Ends, entries: list[Entry]) -> None:
        try:
            private_directory(path.parent)
            make_private_file(path, write(comment, "holdfast", packets_of(ends, entries)))
            self._prune()
        except OSError as error:
            self._failed(f"{path}: {error.strerror or error}")
        except HoldfastError as error:
            self._failed(error.text())
        finally:
            self._room.release()

    def _prune(self) -> None:
        """Remove the oldest captures until both limits are kept."""
        found = sorted(
            ((one.stat().st_mtime_ns, one.stat().st_size, one) for one in self._options.directory.glob(f"*{SUFFIX}")),
            reverse=True,
        )
        octets = 0
        for number, (_, size, path) in enumerate(found, start=1):
            octets += size
            if number > self._options.keep_files or octets > self._options.keep_octets:
                with suppress(FileNotFoundError):
                    path.unlink()


def no_recorder() -> Recorder:
    """Return a recorder that records nothing."""
    return Recorder(RecorderOptions(Path(), session_octets=0), failed=lambda _why: None)


def packets_of(ends: Ends, entries: Iterable[Entry]) -> list[Packet]:
    """Return the packets of a capture."""
    conversation, packets = Conversation(ends), []
    for entry in entries:
        kept = entry.kept
        if entry.control:
            octets, original = conversation.control(entry.direction, kept.octets), 0
        else:
            octets, original = conversation.frame(entry.direction, kept.octets, kept.original)
        packets.append(Packet(entry.time, octets, original, kept.comment))
    return packets
