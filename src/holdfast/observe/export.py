"""Handing lines of the log to somebody else, with a record of custody that makes them provable.

The excerpt holds every line between the first and the last that was asked for: those that were not asked for, as stubs
with their digest. So the chain can be checked from end to end, and nobody learns what was withheld.
"""

import getpass
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, BinaryIO

from holdfast import __version__
from holdfast.errors import HoldfastError, StateError
from holdfast.observe.chain import GENESIS, Link, parse, stub
from holdfast.observe.reader import Query, record_of
from holdfast.observe.segments import lines_of, segments
from holdfast.observe.signing import PublicKey, SigningKey
from holdfast.secret import Secret

CUSTODY_SUFFIX = ".custody.json"
_PURPOSE = b"holdfast log custody 1\0"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What was written: how many lines were asked for, how many stand there as stubs, and the file's SHA-256."""

    path: Path
    lines: int
    withheld: int
    digest: str
    by: str
    selection: str


def custody_path(path: Path) -> Path:
    """Return where the record of custody of an excerpt lies."""
    return path.with_name(path.name + CUSTODY_SUFFIX)


def export(log: Path, key: Secret | None, query: Query, target: Path, *, signer: SigningKey, reason: str) -> Excerpt:
    """Write the excerpt and its record of custody. HoldfastError when nothing fits or it cannot be written."""
    span = _span(log, key, query)
    if span is None:
        raise HoldfastError("no line fits; nothing was written", where=str(log))
    first, last, start = span
    digest, count, withheld = sha256(), 0, 0
    try:
        with _both_made(target) as (out, beside):
            for octets, given in _excerpt(log, key, query, first, last):
                digest.update(octets)
                out.write(octets)
                count, withheld = count + given, withheld + (not given)
            excerpt = Excerpt(target, count, withheld, digest.hexdigest(), _who(), describe(query))
            custody = _custody(log, excerpt, (first, last, start), signer, reason)
            beside.write(json.dumps(custody, indent=2, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        where = str(error.filename or target)
        raise HoldfastError(f"cannot be written: {error.strerror}", where=where) from None
    return excerpt


@contextmanager
def _both_made(target: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Make the excerpt and the record of custody beside it, or neither: what was there before is not touched."""
    with _made(target) as out:
        try:
            beside = _made(custody_path(target))
        except OSError:
            target.unlink()
            raise
        try:
            with beside:
                yield out, beside
        except BaseException:
            for made in (target, custody_path(target)):
                made.unlink()
            raise


def _made(path: Path) -> BinaryIO:
    """Make a file that the owner alone may read. Both name people: the record of custody by what was asked for."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def describe(query: Query) -> str:
    """Return what was asked for, as text."""
    parts = {
        "user": ",".join(sorted(query.users)),
        "session": query.session,
        "event": ",".join(sorted(query.events)),
        "severity": query.severity.value,
        "since": query.since.isoformat() if query.since else "",
        "until": query.until.isoformat() if query.until else "",
    }
    return " ".join(f"{key}={value}" for key, value in parts.items() if value)


@dataclass(frozen=True, slots=True)
class Custody:
    """A record of custody as it was read: where the excerpt begins, and what is wrong with the record."""

    start: bytes
    problems: tuple[str, ...]
    text: dict[str, Any]


def read_custody(path: Path, public: PublicKey | None) -> Custody | None:
    """Read the record of custody of an excerpt and compare; None when there is none. StateError when it is damaged."""
    file = custody_path(path)
    if not file.exists():
        return None
    try:
        text = json.loads(file.read_bytes())
        signature = bytes.fromhex(text.pop("signature"))
        start = bytes.fromhex(text["start"])
        signer = public or PublicKey(text["public_key"], where=str(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StateError("this record of custody is damaged", where=str(file)) from None
    problems = []
    if not signer.verify(_signed(text), signature):
        problems.append("the record of custody was changed, or signed with another key")
    with path.open("rb") as excerpt:
        digest = file_digest(excerpt, "sha256").hexdigest()
    if digest != text.get("sha256"):
        problems.append("the file is not the one that the record of custody tells of")
    return Custody(start, tuple(problems), text)


def _span(log: Path, key: Secret | None, query: Query) -> tuple[int, int, bytes] | None:
    """Return the numbers of the first and last wanted line, and the chain value before the first."""
    first, last, start, before = 0, 0, GENESIS, GENESIS
    for line in _links(log, key):
        record = record_of(line)
        if record is not None and query.wants(record):
            if not first:
                first, start = line.seq, before
            last = line.seq
        before = line.chain
    return (first, last, start) if first else None


def _excerpt(log: Path, key: Secret | None, query: Query, first: int, last: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of the excerpt, each with whether it was asked for."""
    for line in _links(log, key):
        if not first <= line.seq <= last:
            continue
        record = record_of(line)
        if record is not None and query.wants(record):
            yield _whole(line), True
        else:
            yield stub(line, line.stub or "withheld"), False


def _whole(line: Link) -> bytes:
    return b'%b,"seq":%d,"chain":"%b"}\n' % (line.octets, line.seq, line.chain.hex().encode())


def _links(log: Path, key: Secret | None) -> Iterator[Link]:
    for segment in segments(log):
        for raw in lines_of(segment, key):
            line = parse(raw)
            if line is not None:
                yield line


def _custody(
    log: Path, excerpt: Excerpt, span: tuple[int, int, bytes], signer: SigningKey, reason: str
) -> dict[str, Any]:
    first, last, start = span
    text = {
        "custody": 1,
        "exported": datetime.now().astimezone().isoformat(timespec="seconds"),
        "by": excerpt.by,
        "reason": reason,
        "host": platform.node(),
        "holdfast": __version__,
        "log": str(log),
        "selection": excerpt.selection,
        "file": excerpt.path.name,
        "lines": excerpt.lines,
        "withheld": excerpt.withheld,
        "first_seq": first,
        "last_seq": last,
        "start": start.hex(),
        "sha256": excerpt.digest,
        "public_key": signer.public.pem,
        "key": signer.public.fingerprint,
    }
    return {**text, "signature": signer.sign(_signed(text)).hex()}


def _signed(text: dict[str, Any]) -> bytes:
    return _PURPOSE + json.dumps(text, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def _who() -> str:
    """Return who runs this, and who that was before sudo."""
    name = str(os.geteuid())
    with suppress(OSError, KeyError, ImportError):
        name = getpass.getuser()
    before = os.environ.get("SUDO_USER", "")
    return f"{name} (sudo: {before})" if before else name
