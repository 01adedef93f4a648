"""Receivers in this process or on this machine: standard output, another file, a function."""

import os
import select
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from holdfast.observe.sinks.lines import record_of
from holdfast.policy.files import no_links_of_others

STANDARD_OUTPUT = 1
PATIENCE = 10.0
"""Seconds in which a descriptor that takes nothing may take something again."""


class Descriptor:
    """Writes the lines as they are to an open file, such as standard output."""

    def __init__(self, name: str, descriptor: int = STANDARD_OUTPUT) -> None:
        self.name, self._descriptor = name, descriptor

    def send(self, lines: Sequence[bytes]) -> None:
        """Write the lines."""
        octets = memoryview(b"".join(lines))
        while octets:
            try:
                octets = octets[os.write(self._descriptor, octets) :]
            except BlockingIOError:  # who started us, or a process beside us, made it so
                if not select.select([], [self._descriptor], [], PATIENCE)[1]:
                    raise

    def close(self) -> None:
        """Nothing to give back: the file is somebody else's."""


class Copy:
    """Appends the lines to another file, opened anew for each batch, so that any tool may rotate it."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self._path = name, path

    def send(self, lines: Sequence[bytes]) -> None:
        """Write the lines."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | no_links_of_others(self._path.parent)
        descriptor = os.open(self._path, flags, 0o600)
        try:
            before = os.fstat(descriptor)
            try:
                Descriptor(self.name, descriptor).send(lines)
            except OSError:
                if stat.S_ISREG(before.st_mode):  # the lines come again: half a line in front would spoil the first
                    os.ftruncate(descriptor, before.st_size)
                raise
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Nothing to give back."""


class Watcher:
    """Hands each record to a function."""

    def __init__(self, name: str, watch: Callable[[dict[str, Any]], object]) -> None:
        self.name, self._watch = name, watch

    def send(self, lines: Sequence[bytes]) -> None:
        """Call the function for each record."""
        for line in lines:
            self._watch(record_of(line))

    def close(self) -> None:
        """Nothing to give back."""
