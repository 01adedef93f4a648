"""Keeps the tunnel's name servers told to systemd-resolved, which forgets them when it is restarted or told otherwise.

It writes files whenever something of that kind happens: looking at them costs nothing, and only when they are others
(or now and then, in case they say nothing) it is asked what it knows.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Protocol

from holdfast.errors import HostError
from holdfast.events import DialNoticed, Event, HostChanged
from holdfast.network.resolved import stamp

LOOK = 2.0
"""Seconds between two looks at the files."""
ASK = 60.0
"""Seconds after which it is asked whatever the files say."""


class Host(Protocol):
    """The host side of a tunnel, as far as its name servers go."""

    async def tell_resolved_again(self) -> list[str]:
        """Tell systemd-resolved what it lost; return what was done. HostError when it does not answer."""


class NameKeeper:
    """Looks after the name servers of one tunnel. `run` until the tunnel is down, then cancel it."""

    def __init__(self, host: Host, tell: Callable[[Event], None], look: Callable[[], Hashable] = stamp) -> None:
        self._loop = asyncio.get_running_loop()
        self._host, self._tell, self._look = host, tell, look
        self._silent = False

    async def run(self) -> None:
        """Look again and again."""
        seen, asked = self._look(), self._loop.time()
        while True:
            await asyncio.sleep(LOOK)
            found = self._look()
            if found == seen and not self._silent and self._loop.time() - asked < ASK:
                continue
            # What is told now changes the files once more: they are looked at before.
            seen, asked = found, self._loop.time()
            await self._mend()

    async def _mend(self) -> None:
        try:
            done = await self._host.tell_resolved_again()
        except HostError as error:
            if not self._silent:
                self._silent = True
                why = error.sentence()
                self._tell(
                    DialNoticed(f"the tunnel's name servers are not asked until systemd-resolved is back: {why}")
                )
            return
        self._silent = False
        if done:
            self._tell(DialNoticed("systemd-resolved had lost the tunnel's name servers"))
            self._tell(HostChanged("; ".join(done)))
