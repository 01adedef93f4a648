"""Where a log goes on after a restart, whatever state the last writer left it in."""

import os
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import StateError
from holdfast.observe.chain import GENESIS, parse, seq_of
from holdfast.observe.head import read_head
from holdfast.observe.segments import lines, segments
from holdfast.observe.signing import PublicKey
from holdfast.secret import Secret

LARGEST_END = 4 * 1024 * 1024
"""Octets at the end of a file in which its last line is looked for."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The last line there is: number and chain value. `torn` octets of half a line were cut off.

    `detail` is for people."""

    seq: int = 0
    chain: bytes = GENESIS
    torn: int = 0
    detail: str = ""


def take_up(log: Path, state: Path, public: PublicKey, key: Secret | None) -> Tail:
    """Find the end of the log, repair it if a writer was killed, and return where to go on. OSError when that fails.

    A file that is no chained log is moved aside; behind lines that are damaged the log goes on, and verification names
    them. When lines are missing that were signed, the log goes on behind the signed ones, so that the gap stays visible
    for ever.
    """
    tail = _repair(log)
    if not tail.seq:
        before = _closed(log, key)
        tail = Tail(before.seq, before.chain, tail.torn, tail.detail or before.detail)
    head = read_head(state, log)
    if head is None or head.seq <= tail.seq or not head.signed_by(public):
        return tail
    detail = f"lines {tail.seq + 1} to {head.seq} were signed and are gone"
    return Tail(head.seq, head.chain, tail.torn, f"{tail.detail}; {detail}" if tail.detail else detail)


def _repair(log: Path) -> Tail:
    """Cut half a line off the end of the file being written; move a file aside that is no log of ours."""
    if not log.is_file() or not log.stat().st_size:
        return Tail()
    *whole, torn = newest_octets(log).split(b"\n")
    last = next((line for raw in reversed(whole) if (line := parse(raw)) is not None), None)
    if last is None:
        aside = _unused(log.with_name(f"{log.stem}-unchained{log.suffix}"))
        log.rename(aside)
        return Tail(detail=f"the file that was here is no chained log; it is now {aside.name}")
    if torn:
        os.truncate(log, log.stat().st_size - len(torn))
    return Tail(last.seq, last.chain, len(torn))


def newest_octets(log: Path) -> bytes:
    """Return the end of the file being written; it may begin and end in the middle of a line. OSError if it fails."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LARGEST_END))
        return file.read()


def _closed(log: Path, key: Secret | None) -> Tail:
    """Return the end of the newest closed segment, as far as it can be read. No number in its name comes again: the
    next segment would take its place."""
    for segment in reversed(segments(log)):
        if segment.is_open:
            continue
        last, detail = b"", ""
        try:
            for raw in lines(segment.path, key):
                last = raw if seq_of(raw) else last
        except StateError as error:
            detail = f"{segment.path.name} cannot be read: {error.what}"
        link = parse(last)
        if link is None or link.seq < segment.first:
            return Tail(segment.first, detail=detail or f"{segment.path.name} holds no line of a log")
        return Tail(link.seq, link.chain, detail=detail)
    return Tail()


def _unused(path: Path) -> Path:
    """Return this path, or one like it that is free."""
    number, free = 0, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
