"""Event logs for tests: making one with many lines, reading it, checking it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast.events import PeerIdentified
from holdfast.observe.event_log import EventLog, LogOptions
from holdfast.observe.head import read_head
from holdfast.observe.segments import lines, segments
from holdfast.observe.signing import PUBLIC_FILE, PublicKey
from holdfast.observe.verify import Expected, Report, verify
from holdfast.secret import Secret


def write(directory: Path, count: int, **options: Any) -> Path:
    """Write `count` facts to a log, close it, return its path."""
    path = directory / "events.jsonl"
    log = EventLog(path, options=LogOptions(**options))
    for number in range(count):
        log.emit(PeerIdentified(f"fact {number}"), {"session": f"5e55{number:017x}", "user": "alice"})
    log.close()
    return path


def records(path: Path, key: Secret | None = None) -> list[dict[str, Any]]:
    """Return every record of every segment, oldest first."""
    return [json.loads(raw) for segment in segments(path) for raw in lines(segment.path, key)]


def so_far(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file that somebody is writing: whole lines only, none when there is no file yet."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1] if line.startswith("{")]


def check(path: Path, key: Secret | None = None, *, public: PublicKey | None = None) -> Report:
    """Verify a log as the command does."""
    parts = ((one.name, one.is_open, lines(one.path, key)) for one in segments(path))
    known = public or PublicKey.read(path.parent / PUBLIC_FILE)
    return verify(parts, Expected(known, read_head(path.parent, path)))


def edit(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of a plain segment."""
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
