"""Executables of the operator's that are told when a tunnel comes up, goes down or changes."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 20.0
"""Seconds that a hook may run before it is ended."""
LONGEST_COMPLAINT = 200


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
    try:
        process = await asyncio.create_subprocess_exec(
            hook,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=variables,
            start_new_session=True,
        )
    except OSError as error:
        return f"the hook {hook} cannot be started: {error.strerror}"
    try:
        async with asyncio.timeout(PATIENCE):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"the hook {hook} did not end within {PATIENCE:g} s"
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        said = _clean(errors.decode(errors="replace").strip().replace("\n", "; "))[:LONGEST_COMPLAINT]
        return f"the hook {hook} ended with {process.returncode}{': ' + said if said else ''}"
    return ""
