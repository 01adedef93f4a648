"""The files of one event log: the one being written, and the closed ones beside it, in order.

`events.jsonl` is written; `events-000000000001.jsonl` was closed, and begins with line 1; `.gz` is that compressed,
`.gz.sealed` compressed and encrypted.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import StateError
from holdfast.observe.at_rest import SealedReader
from holdfast.observe.chain import Link, parse
from holdfast.secret import Secret

PACKED, SEALED = ".gz", ".gz.sealed"


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the log. `first` is the number of its first line, 0 for the file being written."""

    path: Path
    first: int

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
    """Return the files of the log, oldest first, the one being written last. A file in two forms counts once."""
    pattern = re.compile(rf"{re.escape(log.stem)}-(\d{{12}}){re.escape(log.suffix)}(\.gz|\.gz\.sealed)?")
    found: dict[int, Path] = {}
    for path in sorted(log.parent.glob(f"{glob_text(log.stem)}-*")):
        match = pattern.fullmatch(path.name)
        if match is not None:  # the plain form sorts first and is whole: packing replaces it as its last step
            found.setdefault(int(match[1]), path)
    closed = [Segment(path, first) for first, path in sorted(found.items())]
    return [*closed, Segment(log, 0)] if log.exists() else closed


def glob_text(text: str) -> str:
    """Escape what has a meaning in a file name pattern."""
    return re.sub(r"([*?[])", r"[\1]", text)


def open_segment(path: Path, key: Secret | None) -> BinaryIO | gzip.GzipFile:
    """Open a segment for reading, unpacked, also one that was packed since it was listed. OSError when it is not there,
    StateError when it is encrypted and there is no key for it."""
    try:
        return _open(path, key)
    except FileNotFoundError:
        packed = [path.with_name(path.name + ending) for ending in (PACKED, SEALED)]
        now = next((form for form in packed if form.exists()), None)
        if now is None:
            raise
        return _open(now, key)


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


def lines(path: Path, key: Secret | None) -> Iterator[bytes]:
    """Yield the lines of a segment with their newlines. StateError when the file is damaged or cannot be read."""
    try:
        with closing(open_segment(path, key)) as file:
            yield from file
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise StateError(
            f"this part of the log cannot be read: {said}", where=str(path), fix="Restore it from a backup."
        ) from None


def first_link(path: Path) -> Link | None:
    """Return the first line of the file being written; None when it is none of a chain."""
    with path.open("rb") as file:
        return parse(file.readline())


def last_link(path: Path, key: Secret | None) -> Link | None:
    """Return the last line of a segment; None when there is none."""
    last = b""
    for line in lines(path, key):
        last = line
    return parse(last)
