"""What has been changed on the host, on disk before it happens.

One JSON object a line, each fsynced before the change it names is made. The first line names boot and network
namespace. A last line cut short was written for a change that never happened. A lock on a file beside it
tells a killed owner from a living one.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import HostError
from holdfast.network.changes import KINDS, Change, Memory
from holdfast.network.refusal import explained

VERSION = 1


class HeldError(HostError):
    """The journal belongs to a process that lives."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that was made, or was about to be made, with what undoing it needs."""

    change: Change
    memory: Memory


class Journal:
    """The journal in one state directory, owned by one process at a time."""

    def __init__(self, state_dir: Path) -> None:
        self._dir = state_dir
        self._path = state_dir / "network.journal"
        self._lock: int | None = None

    def own(self) -> None:
        """Take the journal. HeldError when another living process has it."""
        if self._lock is not None:
            return
        with explained("cannot use the state directory"):
            self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._dir / "network.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            fix = "stop it first, or use another state directory (--state DIR)"
            raise HeldError("a running process holds the network changes", where=str(self._dir), fix=fix) from error
        self._lock = descriptor

    def release(self) -> None:
        """Let go of the journal."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self, identity: str) -> list[Entry]:
        """Return the entries that still matter: of this boot and namespace, or such as outlive a boot."""
        with explained("cannot read the journal"):
            lines = self._path.read_bytes().split(b"\n")[:-1] if self._path.exists() else []
        if not lines:
            return []
        try:
            records = [json.loads(line) for line in lines]
            same = records[0]["identity"] == identity
            entries = [_entry(record) for record in records[1:]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            fix = "look at `ip addr`, `ip route` and `nft list tables`, undo by hand what is left, then remove the file"
            raise HostError("the journal of network changes is damaged", where=str(self._path), fix=fix) from error
        return [entry for entry in entries if same or entry.change.survives_boot]

    def write(self, identity: str, entries: list[Entry]) -> None:
        """Replace the journal; without entries it is removed."""
        with explained("cannot write the journal"):
            if not entries:
                self._path.unlink(missing_ok=True)
                return
            beside = self._path.with_suffix(".new")
            header = {"version": VERSION, "identity": identity}
            _write(beside, os.O_TRUNC, [header, *map(_plain, entries)])
            beside.replace(self._path)
            _sync_directory(self._dir)

    def append(self, entries: list[Entry]) -> None:
        """Add entries to a journal that has its first line."""
        with explained("cannot write the journal"):
            _write(self._path, os.O_APPEND, [_plain(entry) for entry in entries])


def _plain(entry: Entry) -> dict[str, Any]:
    return {"kind": entry.change.kind, "change": entry.change.plain(), "memory": entry.memory}


def _entry(record: dict[str, Any]) -> Entry:
    return Entry(KINDS[record["kind"]].from_plain(record["change"]), record["memory"])


def _write(path: Path, flags: int, records: list[dict[str, Any]]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
    try:
        with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
