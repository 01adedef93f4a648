"""Which sessions came up or ended since the last transaction of the accounting queue: one small write each, at once.

The queue is written in a thread, some milliseconds behind. A kill in these would lose the word that a session came up
at all, which nobody could make up for, and with the word that one ended its last counts and its reason: so both are
left here. Who comes next takes what the queue did not get. An entry is a length, a checksum and the record; half of one
at the end is what a kill cut off.
"""

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import StateError

HEAD = struct.Struct("!II")
FACTS = struct.Struct("!QdB")
ENDED = 1 << 63
"""Stands in the number of a record that tells an end."""
ENOUGH = 65_536
"""Octets from which on the file is emptied when it can be."""


@dataclass(frozen=True, slots=True)
class CameUp:
    """A session that came up: the number of its Start, when, its Acct-Session-Id, and its attributes as octets."""

    number: int
    at: float
    session: str
    identity: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that ended: the number of its Stop, when, its Acct-Session-Id, and the Stop's attributes as octets."""

    number: int
    at: float
    session: str
    said: bytes


class AccountingJournal:
    """A file that is only appended to, and emptied. StateError when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = self._last = 0
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise self._refusal(error) from error

    def note(self, one: CameUp | Ended) -> None:
        """Leave word of a session."""
        name = one.session.encode()
        mark, octets = (ENDED, one.said) if isinstance(one, Ended) else (0, one.identity)
        body = FACTS.pack(one.number | mark, one.at, len(name)) + name + octets
        entry = HEAD.pack(len(body), zlib.crc32(body)) + body
        self._last = one.number
        try:
            if os.write(self._descriptor, entry) != len(entry):
                os.ftruncate(self._descriptor, self._size)
                raise OSError(None, "no space left")
        except OSError as error:
            raise self._refusal(error) from error
        self._size += len(entry)

    def entries(self) -> list[CameUp | Ended]:
        """Return what a predecessor left, the oldest first. What was cut off is taken away: what comes behind it could
        not be found."""
        try:
            octets = os.pread(self._descriptor, self._size, 0)
        except OSError as error:
            raise self._refusal(error) from error
        found: list[CameUp | Ended] = []
        at = 0
        while at + HEAD.size <= len(octets):
            length, checksum = HEAD.unpack_from(octets, at)
            body = octets[at + HEAD.size : at + HEAD.size + length]
            if len(body) != length or zlib.crc32(body) != checksum:
                break
            found.append(_read(body))
            at += HEAD.size + length
        if at < len(octets):
            self._cut(at)
        return found

    def written(self, number: int) -> None:
        """The queue has everything up to this number: the file may be emptied when that is all."""
        if self._last <= number and self._size >= ENOUGH:
            self.clear()

    def clear(self) -> None:
        """Empty the file."""
        self._cut(0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _cut(self, size: int) -> None:
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            raise self._refusal(error) from error
        self._size = size

    def _refusal(self, error: OSError) -> StateError:
        return StateError(f"the accounting journal cannot be used: {error.strerror}", where=str(self._path))


def _read(body: bytes) -> CameUp | Ended:
    number, at, length = FACTS.unpack_from(body)
    name, octets = body[FACTS.size : FACTS.size + length], body[FACTS.size + length :]
    kind = Ended if number & ENDED else CameUp
    return kind(number & ~ENDED, at, name.decode("utf-8", "replace"), octets)
