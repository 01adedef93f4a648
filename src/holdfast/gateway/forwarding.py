"""Keeps IP forwarding on, which `sysctl --system` and network managers switch off in good faith, and tells.

Somebody who switches it off again and again is told of once a minute, with how often; it is put back each time.
"""

import time
from collections.abc import Callable

from holdfast.errors import HostError
from holdfast.events import ForwardingLost

CALM = 60.0
"""Seconds between two that are told."""
ADVICE = "let a file in /etc/sysctl.d say so for good"


class Forwarding:
    """Looks when something of the network changed. `restore` writes what is missing and returns it; it may block."""

    def __init__(self, restore: Callable[[], list[str]], now: Callable[[], float] = time.monotonic) -> None:
        self._restore, self._now = restore, now
        self._told_at = float("-inf")
        self._untold = 0
        self._refused = False

    def look(self) -> ForwardingLost | None:
        """Put back what somebody switched off; return what is to be told of it, if anything."""
        try:
            made = self._restore()
        except HostError as error:
            return self._cannot(error)
        if made:
            self._untold += 1
        elif self._refused:
            self._untold, made = self._untold or 1, ["forwarding is on"]
        due = self._refused or self._now() - self._told_at >= CALM
        self._refused = False
        if not made or not due:
            return None
        return self._told(f"{'; '.join(made)} again; {ADVICE}", restored=True)

    def _cannot(self, error: HostError) -> ForwardingLost | None:
        """Tell once that it stays off."""
        if self._refused:
            return None
        self._refused, self._untold = True, self._untold + 1
        what = error.sentence()
        return self._told(f"forwarding is off, nothing passes to or from clients: {what}", restored=False)

    def _told(self, detail: str, *, restored: bool) -> ForwardingLost:
        times, self._untold, self._told_at = self._untold, 0, self._now()
        return ForwardingLost(restored, detail, times)
