"""One timer of the event loop for one machine."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls back when a machine's deadline has come. Arming it with a later deadline costs nothing: it fires at the
    earlier one and is armed again."""

    __slots__ = ("_at", "_callback", "_failed", "_handle", "_loop")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        callback: Callable[[], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """`failed` is told what `callback` raised: nobody would arm the alarm again, and who waits for it would wait
        for ever."""
        self._loop = loop
        self._callback, self._failed = callback, failed
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
        try:
            self._callback()
        except Exception as error:
            if self._failed is None:
                raise
            self._failed(error)
