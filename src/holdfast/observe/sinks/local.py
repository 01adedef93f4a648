"""Receivers in this process or on this machine: standard output, another file, a function."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from holdfast.observe.sinks.lines import record_of

STANDARD_OUTPUT = 1


class Descriptor:
    """Writes the lines as they are to an open file, such as standard output."""

    def __init__(self, name: str, descriptor: int = STANDARD_OUTPUT) -> None:
        self.name, self._descriptor = name, descriptor

    def send(self, lines: Sequence[bytes]) -> None:
        """Write the lines."""
        octets = memoryview(b"".join(lines))
        while octets:
            octets = octets[os.write(self._descriptor, octets) :]

    def close(self) -> None:
        """Nothing to give back: the file is somebody else's."""


class Copy:
    """Appends the lines to another file, opened anew for each batch, so that any tool may rotate it."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self._path = name, path

    def send(self, lines: Sequence[bytes]) -> None:
        """Write the lines."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            Descriptor(self.name, descriptor).send(lines)
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
