"""How far each sink has come in the log, kept in the state directory over restarts and crashes."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from holdfast.observe.log_cursor import LogCursor
from holdfast.secret import Secret

FOLDER = "sinks"
DIGITS = 20


class Bookmark:
    """The number of the last line that a sink took, in a file of its own. A file that cannot be written is no bookmark
    after the next start, and costs nothing but that.
    """

    def __init__(self, state: Path, name: str, log: Path, key: Secret | None) -> None:
        self._path, self._log, self._key = state / FOLDER / _file_name(name), log, key
        self._descriptor = -1

    def read(self) -> int | None:
        """Return where the sink stands, None when it is new here."""
        try:
            text = self._path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None
        return int(text) if text.isdigit() else None

    def write(self, seq: int) -> None:
        """Remember where the sink stands. One small write in place: a kill leaves the number before or this one."""
        with suppress(OSError):
            if self._descriptor < 0:
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
                os.pwrite(self._descriptor, _text(seq), 0)
                os.fsync(self._descriptor)  # once: after a power cut there is an older number at worst, and not none
            os.pwrite(self._descriptor, _text(seq), 0)

    def cursor(self, seq: int) -> LogCursor:
        """Return a cursor behind line `seq` of the log."""
        return LogCursor(self._log, self._key, seq)

    def close(self) -> None:
        """Give the file back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def forget_others(state: Path, names: Iterable[str]) -> None:
    """Remove the bookmarks of sinks that are not configured any more: should one come back, it begins anew."""
    kept = {_file_name(name) for name in names}
    for path in (state / FOLDER).glob("*.seq"):
        if path.name not in kept:
            with suppress(OSError):
                path.unlink()


def _text(seq: int) -> bytes:
    return b"%0*d\n" % (DIGITS, seq)


def _file_name(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", name)[:60]
    return f"{plain}-{blake2b(name.encode(), digest_size=4).hexdigest()}.seq"
