"""One timer of the event loop for one machine."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls back when a machine's deadline has come. Arming it with a later deadline costs nothing: it fires at the
    earlier one and is armed again."""

    __slots__ = ("_at", "_callback", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0

    def arm(self, deadline: float | None) -> None:
        """Call back at `deadline` (seconds of the loop's clock) or a little earlier; None: not at all."""
        if deadline is None:
            self.cancel()
        elif self._handle is None or deadline < self._at:
            self.cancel()
            self._at = deadline
            self._handle = self._loop.call_at(deadline, self._fire)

    def cancel(self) -> None:
        """Forget the deadline."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self) -> None:
        self._handle = None
        self._callback()
