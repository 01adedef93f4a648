"""What nobody caught on the event loop is told to the event log: a callback that raised, a task that died alone.

asyncio would write it to standard error, with the exception's text, which may hold anything.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from holdfast.errors import where_raised
from holdfast.events import Event, InternalFault

INTERVAL = 1.0
"""Seconds between two events: what fails in a loop fills no log."""


class LoopFaults:
    """A handler for `loop.set_exception_handler`. `report` takes events."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._next = float("-inf")
        self._untold = 0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell it, or count it when another was told just now."""
        now = loop.time()
        if now < self._next:
            self._untold += 1
            return
        more = f" (and {self._untold} before it)" if self._untold else ""
        self._next, self._untold = now + INTERVAL, 0
        error = context.get("exception")
        where = "" if error is None else f": {where_raised(error)}"
        self._report(InternalFault("event loop", f"{_kind(str(context.get('message', '')))}{where}{more}"))


def _kind(message: str) -> str:
    """Return what asyncio says of it, without the reprs of callbacks and transports that follow."""
    return message.partition("<")[0].partition(" in ")[0].strip() or "a fault"
