"""Open a log, whatever it lies in: plain, gzip, zstd, standard input, UTF-8 or Windows' UTF-16; always bounded."""

import codecs
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from holdfast._native import CaptureError, PlainFile
from holdfast.errors import HoldfastError

STANDARD_INPUT = "-"
PIECE = 1 << 18
HEAD = 4096
"""Octets by which the kind of a file is told."""
LINE_MOST = 16_384
"""Octets of a line that are looked at; of a longer one the rest is skipped."""
SEALED = b"HFSEAL1\n"
"""How an encrypted segment of Holdfast's own log begins (`observe/at_rest.py`)."""
BINARY_SHARE = 0.05
"""So large a part of null octets in the beginning, and this is no text."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass
class LogText:
    """The lines of one log. `newest` is the latest time that a line can be of, in seconds since 1970.

    `notes` says what limits the reading; complete only after the last line.
    """

    name: str
    newest: float
    lines: Iterator[str]
    notes: list[str] = field(default_factory=list)


def open_log(name: str) -> LogText:
    """Open a log; `-` is standard input. HoldfastError when it cannot be read."""
    read, newest = _reader(name)
    text = LogText(name, newest, iter(()))
    try:
        first = _head(read)
    except OSError as error:
        raise HoldfastError(f"it cannot be read: {error}", where=name) from None
    if first.startswith(SEALED):
        fix = "Read it through the log's own door: holdfast events export --config FILE -o plain.jsonl"
        raise HoldfastError("this part of an event log is encrypted", where=name, fix=fix)
    encoding, first = _encoding(first)
    if encoding == "utf-8" and first.count(0) > len(first) * BINARY_SHARE:
        text.notes.append("this is no text file; what looks like lines was read all the same")
    text.lines = _lines(_decoded(_pieces(first, read, text), encoding), text)
    return text


def _reader(name: str) -> tuple[Callable[[int], bytes], float]:
    try:
        if name == STANDARD_INPUT:
            return PlainFile(f"/dev/fd/{sys.stdin.fileno()}").read, time.time()
        return PlainFile(name).read, Path(name).stat().st_mtime
    except CaptureError as error:
        raise HoldfastError(error.args[0], where=name, fix=error.args[1]) from None
    except OSError as error:
        raise HoldfastError(f"it cannot be read: {error.strerror}", where=name) from None


def _head(read: Callable[[int], bytes]) -> bytes:
    """Return the beginning, which may come in small pieces."""
    head = b""
    while len(head) < HEAD and (piece := read(PIECE)):
        head += piece
    return head


def _encoding(first: bytes) -> tuple[str, bytes]:
    """Windows exports begin with a mark; some begin without one and have a null at every second octet."""
    for mark, name in _MARKS:
        if first.startswith(mark):
            return name, first[len(mark) :]
    head = first[:400]
    if len(head) >= 40 and head[1::2].count(0) > len(head) * 0.4 and not head[::2].count(0):
        return "utf-16-le", first
    return "utf-8", first


def _pieces(first: bytes, read: Callable[[int], bytes], text: LogText) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        try:
            piece = read(PIECE)
        except OSError as error:
            text.notes.append(f"reading stopped early: {error}")
            return


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[str]:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("replace"), translate=True)
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _lines(pieces: Iterator[str], text: LogText) -> Iterator[str]:
    """Cut into lines; what is kept of an unfinished one is bounded."""
    rest, cut = "", 0
    for piece in pieces:
        first, *others = piece.split("\n")
        whole = [rest + first, *others]
        rest = whole.pop()[: LINE_MOST + 1]
        for line in whole:
            cut += len(line) > LINE_MOST
            yield line[:LINE_MOST]
    if rest:
        cut += len(rest) > LINE_MOST
        yield rest[:LINE_MOST]
    if cut:
        text.notes.append(f"{cut} lines were longer than {LINE_MOST} characters and were cut")
