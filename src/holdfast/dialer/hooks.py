"""Executables of the operator's that are told when a tunnel comes up, goes down or changes."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 20.0
"""Seconds that a hook may run before it is ended."""
LONGEST_COMPLAINT = 200
KEPT = 4 * LONGEST_COMPLAINT
"""Octets of what a hook says that are kept; a character has at most four."""
READ_SIZE = 65536


def environment(event: str, facts: Mapping[str, object]) -> dict[str, str]:
    """Return the environment of a hook: `HOLDFAST_EVENT` and one `HOLDFAST_...` for each fact, nothing inherited.

    Texts come from the other side in part: control characters are left out, so that a careless script is not led
    astray by a line end.
    """
    named = {f"HOLDFAST_{name.upper()}": _clean(value) for name, value in facts.items()}
    return {"PATH": PATH, "LANG": os.environ.get("LANG", "C.UTF-8"), "HOLDFAST_EVENT": event, **named}


def _clean(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    return "".join(char for char in text if char.isprintable())


async def run(hooks: Sequence[Path], event: str, facts: Mapping[str, object]) -> list[str]:
    """Run the hooks one after another; return one sentence for each that failed."""
    return [complaint for hook in hooks if (complaint := await _run_one(hook, environment(event, facts)))]


async def _run_one(hook: Path, variables: dict[str, str]) -> str:
    words = _Words()
    try:
        process = await asyncio.create_subprocess_exec(
            hook,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=words.writer,
            env=variables,
            start_new_session=True,
        )
    except OSError as error:
        return f"the hook {hook} cannot be started: {error.strerror}"
    finally:
        os.close(words.writer)
    try:
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    except TimeoutError:
        await _end(process)
        return f"the hook {hook} did not end within {PATIENCE:g} s"
    except asyncio.CancelledError:
        await _end(process)
        raise
    said = _clean(words.said().strip().replace("\n", "; "))[:LONGEST_COMPLAINT]
    return f"the hook {hook} ended with {process.returncode}{': ' + said if said else ''}" if process.returncode else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a hook and what it started: all of it has run for too long."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


class _Words:
    """What a hook says on standard error: its first words are kept, the rest is read and dropped.

    It is read until nobody holds the other end any more. A hook that is over may have left a program running with it:
    that one is not waited for, and must not find its standard error closed either.
    """

    def __init__(self) -> None:
        """`writer` is for the hook, and to be closed here once it is started."""
        self._loop = asyncio.get_running_loop()
        self._reader, self.writer = os.pipe()
        self._kept = b""
        os.set_blocking(self._reader, False)
        self._loop.add_reader(self._reader, self._read)

    def said(self) -> str:
        """Return the first words so far."""
        self._read()
        return self._kept.decode(errors="replace")

    def _read(self) -> None:
        try:
            found = os.read(self._reader, READ_SIZE) if self._reader >= 0 else b""
        except BlockingIOError:
            return
        self._kept += found[: KEPT - len(self._kept)]
        if not found and self._reader >= 0:
            self._loop.remove_reader(self._reader)
            os.close(self._reader)
            self._reader = -1
