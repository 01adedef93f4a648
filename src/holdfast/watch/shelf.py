"""The captures that are kept, by names that say what is in them, within a number and a size."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from holdfast.errors import HoldfastError
from holdfast.policy.files import make_private_file, private_directory

SUFFIX = ".pcapng"
SAME_NAME_MOST = 100
_OURS = re.compile(r"\d{8}T\d{6}Z_[\w.-]+_[a-z0-9-]+(?:_\d+)?\.pcapng")
"""The names that we give: nothing else in the directory is ever removed."""


@dataclass(frozen=True, slots=True)
class ShelfLimits:
    """How many captures are kept, how large they may be in all, and how many are written in a minute."""

    files: int = 200
    octets: int = 50_000_000
    per_minute: int = 60


class Shelf:
    """A directory of captures. `failed` is told once in a row why one could not be kept."""

    def __init__(self, directory: Path, limits: ShelfLimits, failed: Callable[[str], None]) -> None:
        self.directory = directory
        self._limits, self._failed = limits, failed
        self._trouble = ""
        self._minute, self._in_minute = 0, 0
        private_directory(directory)

    def keep(self, now: int, client: str, finding: str, octets: bytes, *, instead: str = "") -> str:
        """Keep a capture (`instead` of an earlier one, under its name); return its path, empty when it is not kept.

        `now` in nanoseconds since 1970.
        """
        if len(octets) > self._limits.octets or not self._may_write(now):
            return instead
        stamp = datetime.fromtimestamp(now // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
        name = f"{stamp}_{re.sub('[^0-9a-f.]', '-', client)}_{finding}"
        try:
            with suppress(FileNotFoundError):
                if instead:
                    Path(instead).unlink()
            path = self._write(Path(instead).name.removesuffix(SUFFIX) if instead else name, octets)
            self._prune()
        except (OSError, HoldfastError) as error:
            why = error.text() if isinstance(error, HoldfastError) else f"{self.directory}: {error.strerror or error}"
            if why != self._trouble:
                self._failed(why)
            self._trouble = why
            return ""
        self._trouble = ""
        return str(path) if path else ""

    def _write(self, name: str, octets: bytes) -> Path | None:
        private_directory(self.directory)
        for number in range(SAME_NAME_MOST):
            path = self.directory / (f"{name}_{number}{SUFFIX}" if number else f"{name}{SUFFIX}")
            if make_private_file(path, octets):
                return path
        return None

    def _may_write(self, now: int) -> bool:
        minute = now // 60_000_000_000
        if minute != self._minute:
            self._minute, self._in_minute = minute, 0
        self._in_minute += 1
        return self._in_minute <= self._limits.per_minute

    def _prune(self) -> None:
        """Remove the oldest until both limits are kept."""
        found = []
        for path in self.directory.glob(f"*{SUFFIX}"):
            if _OURS.fullmatch(path.name):
                with suppress(OSError):
                    found.append((path.stat().st_mtime_ns, path.name, path.stat().st_size, path))
        octets = 0
        for number, (_, _, size, path) in enumerate(sorted(found, reverse=True), start=1):
            octets += size
            if number > self._limits.files or octets > self._limits.octets:
                with suppress(FileNotFoundError):
                    path.unlink()
