"""The files of one event log: the one being written, and the closed ones beside it, in order.

`events.jsonl` is written; `events-000000000001.jsonl` was closed, and begins with line 1; `.gz` is that compressed,
`.gz.sealed` compressed and encrypted.
"""

import gzip
import io
import re
import stat
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import DamagedError, StateError
from holdfast.observe.at_rest import SealedReader
from holdfast.observe.chain import Link, parse, seq_of
from holdfast.secret import Secret

PACKED, SEALED = ".gz", ".gz.sealed"
LOOKS = 5
"""How often a list is made anew, at most: more rotations within a moment there are only in a log made by hand."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the log. `first` is the number of its first line, 0 for the file being written, which began with line
    `began` when it was listed (0 where that cannot be told)."""

    path: Path
    first: int
    began: int = 0

    @property
    def name(self) -> str:
        """The name by which the log itself speaks of a closed segment, whatever it is packed in."""
        return plain_name(self.path.name)

    @property
    def is_open(self) -> bool:
        """Whether this is the file being written."""
        return self.first == 0


def closed_path(log: Path, first: int) -> Path:
    """Return the name for a segment that begins with line `first`."""
    return log.with_name(f"{log.stem}-{first:012d}{log.suffix}")


def plain_name(name: str) -> str:
    """Return the name of a segment before it was packed."""
    return name.removesuffix(".sealed").removesuffix(PACKED)


def segments(log: Path) -> list[Segment]:
    """Return the files of the log, oldest first, the one being written last. A file in two forms counts once.

    Listed anew when the file being written was closed meanwhile: none is missing, and none stands there twice.
    """
    for _ in range(LOOKS):
        began, closed = _began(log), _closed(log)
        if not began or not closed or closed[-1].first < began:
            break
    return closed if began is None else [*closed, Segment(log, 0, began)]


def _began(log: Path) -> int | None:
    """Return the number of the first line of the file being written, 0 when it cannot be told, None without a file."""
    try:
        if not stat.S_ISREG(log.stat().st_mode):
            return 0
        with log.open("rb") as file:
            return seq_of(file.readline())
    except FileNotFoundError:
        return None
    except OSError:
        return 0


def _closed(log: Path) -> list[Segment]:
    pattern = re.compile(rf"{re.escape(log.stem)}-(\d{{12}}){re.escape(log.suffix)}(\.gz|\.gz\.sealed)?")
    found: dict[int, Path] = {}
    for path in sorted(log.parent.glob(f"{glob_text(log.stem)}-*")):
        match = pattern.fullmatch(path.name)
        if match is not None:  # the plain form sorts first and is whole: packing replaces it as its last step
            found.setdefault(int(match[1]), path)
    return [Segment(path, first) for first, path in sorted(found.items())]


def glob_text(text: str) -> str:
    """Escape what has a meaning in a file name pattern."""
    return re.sub(r"([*?[])", r"[\1]", text)


def open_segment(path: Path, key: Secret | None) -> BinaryIO | gzip.GzipFile:
    """Open a segment for reading, unpacked, also one that was packed since it was listed. OSError when it is not there,
    StateError when it is encrypted and there is no key for it."""
    try:
        return _open(path, key)
    except FileNotFoundError:
        now = forms(path)
        if not now:
            raise
        return _open(now[0], key)


def forms(path: Path) -> list[Path]:
    """Return the files in which a closed segment lies: as it is, compressed, encrypted."""
    return [form for ending in ("", PACKED, SEALED) if (form := path.with_name(path.name + ending)).exists()]


def _open(path: Path, key: Secret | None) -> BinaryIO | gzip.GzipFile:
    if path.name.endswith(SEALED):
        if key is None:
            raise StateError(
                "this part of the log is encrypted", where=str(path), fix="Give --config FILE with log.encryption_key."
            )
        return gzip.GzipFile(fileobj=io.BufferedReader(SealedReader(path.open("rb"), key, str(path))))
    if path.name.endswith(PACKED):
        return gzip.GzipFile(path)
    return path.open("rb")


def lines(path: Path, key: Secret | None) -> Generator[bytes]:
    """Yield the lines of a segment with their newlines. StateError when it cannot be read, DamagedError where it ceases
    to be what was packed."""
    try:
        with closing(open_segment(path, key)) as file:
            yield from file
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None)
        kind = StateError if said else DamagedError
        raise kind(
            f"this part of the log cannot be read: {said or error}", where=str(path), fix="Restore it from a backup."
        ) from None


def lines_of(segment: Segment, key: Secret | None) -> Iterator[bytes]:
    """Yield the lines of a segment that was listed, also when it has been closed since."""
    found = lines(segment.path, key)
    if not segment.began:
        yield from found
        return
    now_closed = closed_path(segment.path, segment.began)
    try:
        first = next(found, b"")
    except StateError:
        if not forms(now_closed):
            raise
        first = b""
    if seq_of(first) != segment.began and forms(now_closed):
        found.close()
        yield from lines(now_closed, key)
        return
    yield first
    yield from found


def first_link(path: Path) -> Link | None:
    """Return the first line of the file being written; None when it is none of a chain."""
    with path.open("rb") as file:
        return parse(file.readline())
