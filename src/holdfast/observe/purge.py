"""Taking lines out of closed segments for good, so that the chain still fits and the log tells that it was done."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from holdfast.errors import StateError
from holdfast.events import LogPurged
from holdfast.observe.chain import Link, parse, stub
from holdfast.observe.packing import write_segment
from holdfast.observe.retention import PROOF, event_of
from holdfast.observe.segments import Segment, lines, segments
from holdfast.secret import Secret

BREATH, PAUSE = 256, 0.0005
"""Lines after which others may run, and for how many seconds: purging has time."""

Wanted = Callable[[Link], bool]
Tell = Callable[[LogPurged], None]


@dataclass(slots=True)
class _Survey:
    """What a purge would find in one segment."""

    taken: int = 0
    stubs: list[int] = field(default_factory=list)
    kept: int = 0
    last: Link | None = None


def stub_digest(numbers: Sequence[int]) -> str:
    """Return the SHA-256, in hex, of the numbers of all stubs of a segment (8 octets each, in order)."""
    return sha256(b"".join(number.to_bytes(8, "big") for number in numbers)).hexdigest()


def purge(log: Path, key: Secret | None, wanted: Wanted, cause: str, tell: Tell) -> int:
    """Take every wanted line out of the closed segments; return how many.

    `cause` is the word in the stubs, "purged" or "forgotten". `tell` must have brought the fact into the log when it
    returns: it goes before the change, so that a purge that is interrupted never looks like a crime. The oldest
    segments, once they hold stubs and signatures only, are removed. StateError, when all others are done, for segments
    that cannot be read: nobody can tell what is in them, and they stay.
    """
    count, oldest, unreadable = 0, True, list[StateError]()
    for segment in segments(log):
        if segment.is_open:
            continue
        try:
            survey = _survey(segment, key, wanted)
        except StateError as error:
            unreadable.append(error)
            oldest = False
            continue
        count += survey.taken
        oldest = oldest and not survey.kept
        if survey.last is None or not (survey.taken or oldest):
            continue
        tell(_report(segment, survey, cause, removed=oldest))
        if oldest:
            segment.path.unlink()
        else:
            write_segment(segment.path, _emptied(segment, key, wanted, cause), key)
    if unreadable:
        raise StateError(
            f"{count} lines were taken out; in {len(unreadable)} files that cannot be read nothing was: "
            f"{unreadable[0].what}",
            where=unreadable[0].where,
            fix="Restore it from a backup, or remove it: what it holds is kept longer than it should be.",
        )
    return count


def _survey(segment: Segment, key: Secret | None, wanted: Wanted) -> _Survey:
    found = _Survey()
    for line in _links(segment, key):
        found.last = line
        if line.stub or wanted(line):
            found.taken += not line.stub
            found.stubs.append(line.seq)
        elif event_of(line) not in PROOF:
            found.kept += 1
    return found


def _report(segment: Segment, survey: _Survey, cause: str, *, removed: bool) -> LogPurged:
    assert survey.last is not None
    digest, last = stub_digest(survey.stubs), survey.last
    return LogPurged(segment.name, cause, survey.taken, digest, removed, last.seq, last.chain.hex())


def _emptied(segment: Segment, key: Secret | None, wanted: Wanted, cause: str) -> Iterator[bytes]:
    for number, raw in enumerate(lines(segment.path, key)):
        if number % BREATH == 0:
            time.sleep(PAUSE)
        line = parse(raw)
        taken = line is not None and not line.stub and wanted(line)
        yield stub(line, cause) if line is not None and taken else raw


def _links(segment: Segment, key: Secret | None) -> Iterator[Link]:
    for number, raw in enumerate(lines(segment.path, key)):
        if number % BREATH == 0:
            time.sleep(PAUSE)
        line = parse(raw)
        if line is not None:
            yield line
