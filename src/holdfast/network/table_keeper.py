"""Keeps the firewall tables of one owner standing: looks when the firewall changed, puts back what went, and tells.

Two programs may fight over a table: then it is put back after ever longer pauses, though none is long, and told rarely.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from holdfast.errors import HostError, where_raised
from holdfast.events import Event, FirewallLost, InternalFault
from holdfast.network.firewall_watch import FirewallWatch
from holdfast.network.tables import Lost

PERIOD = 2.0
"""Seconds between two looks when nothing was heard: a notification may be lost. A look costs next to nothing then."""
SHARE = 10
"""A look may take a tenth of the time, however much others change,"""
LONGEST_REST = 1.0
"""but the next one is no more than these seconds away."""
AT_ONCE = 3
"""How often in a row something is put back without a pause, and told by itself."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
"""Seconds to the next look after that: doubled each time, and short enough for a kill switch."""
CALM = 60.0
"""Seconds without a loss after which a fight is over; while it lasts it is told so often."""

Look = Callable[[], Awaitable[list[Lost]]]
Tell = Callable[[Event], None]


@contextlib.asynccontextmanager
async def kept(look: Look, tell: Tell) -> AsyncIterator[None]:
    """Keep tables standing during the block. `look` puts back what went and returns it, as `HostNetwork` does."""
    keeper = TableKeeper(look, tell)
    watch = keeper.watch = FirewallWatch(keeper.changed)
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        try:
            async with keeper.looking:  # what is being put back now is told, too
                pass
        finally:
            task.cancel()
            await asyncio.wait({task})
            keeper.tell_rest()
            watch.close()


@dataclass(slots=True)
class _Untold:
    """What happened to a table since it was told last."""

    last: Lost | None = None
    times: int = 0
    before: float = 0.0
    """Seconds that it was missing before the last time."""

    def add(self, lost: Lost) -> None:
        """It was missing once more; what could not be put back last time is missing since then."""
        if self.last is not None and not self.last.refusal:
            self.before += self.last.open_seconds
        self.last, self.times = lost, self.times + 1


class TableKeeper:
    """Decides when to look, and what to tell."""

    def __init__(self, look: Look, tell: Tell) -> None:
        self._loop = asyncio.get_running_loop()
        self._look, self._tell = look, tell
        self.watch: FirewallWatch | None = None
        self.looking = asyncio.Lock()
        """Held during a look."""
        self._woken = asyncio.Event()
        self._noticed: float | None = None
        self._strikes = 0
        self._lost_at = self._told_at = float("-inf")
        self._untold: dict[str, _Untold] = {}
        self._open: set[str] = set()
        """Tables that could not be put back, and that was told."""
        self._blind = False

    def changed(self) -> None:
        """Somebody changed the firewall."""
        if self._noticed is None:
            self._noticed = self._loop.time()
        self._woken.set()

    async def run(self) -> None:
        """Look again and again."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD):
                    await self._woken.wait()
            self._woken.clear()
            began = self._loop.time()
            async with self.looking:
                found = await self._look_once(began)
            took = self._loop.time() - began
            await asyncio.sleep(self._pause() if found else min(took * SHARE, LONGEST_REST))

    async def _look_once(self, began: float) -> bool:
        """Look, tell, and return whether something was lost."""
        noticed, self._noticed = self._noticed, None
        try:
            lost = await self._look()
            self._blind = False
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look must come
            self._tell_blind(error)
            return False
        if lost:
            self._struck(lost, self._loop.time() - (began if noticed is None else noticed))
        elif self._loop.time() - self._lost_at > CALM:
            self._strikes = 0
        if self._loop.time() - self._told_at > CALM:
            self.tell_rest()
        return bool(lost)

    def _pause(self) -> float:
        beyond = self._strikes - AT_ONCE
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(beyond, 10)) if beyond > 0 else 0.0

    def _struck(self, lost: list[Lost], repair: float) -> None:
        self._strikes += 1
        self._lost_at = self._loop.time()
        if any(one.refusal for one in lost):
            self._woken.set()  # again after a pause, whether anybody says something or not
        for one in lost:
            self._untold.setdefault(str(one.table), _Untold()).add(one)
        new = any(not one.refusal or str(one.table) not in self._open for one in lost)
        turned = any(not one.refusal and str(one.table) in self._open for one in lost)
        if turned or (new and self._strikes <= AT_ONCE + 1):
            self._tell_untold(f"noticed {repair * 1000:.0f} ms before", fight=self._strikes > AT_ONCE)

    def tell_rest(self) -> None:
        """Tell what was held back in a fight."""
        if self._untold:
            self._tell_untold("", fight=True)

    def _tell_untold(self, noticed: str, *, fight: bool) -> None:
        untold, self._untold, self._told_at = self._untold, {}, self._loop.time()
        for name, found in untold.items():
            if found.last is not None:
                (self._open.add if found.last.refusal else self._open.discard)(name)
                self._tell(self._fact(found, found.last, noticed, fight=fight))

    def _fact(self, found: _Untold, lost: Lost, noticed: str, *, fight: bool) -> FirewallLost:
        words = ["it was put back in one step", noticed]
        if lost.refusal:
            words = [f"it cannot be put back, and is tried again: {lost.refusal}"]
        elif fight:
            pause = f"it is put back {LONGEST_PAUSE:g} s later at most, and told once a minute"
            words.append(f"somebody takes it away again and again: {pause}")
        return FirewallLost(
            f"{lost.table.family} {lost.table.name}",
            lost.table.purpose,
            lost.what,
            restored=not lost.refusal,
            open_seconds=round(found.before + lost.open_seconds, 3),
            detail="; ".join(filter(None, words)),
            times=found.times,
            programs=() if self.watch is None else self.watch.programs(*lost.generations),
        )

    def _tell_blind(self, error: Exception) -> None:
        if not self._blind:
            self._blind = True
            what = error.sentence() if isinstance(error, HostError) else where_raised(error)
            self._tell(InternalFault("firewall", f"whether our tables stand cannot be seen: {what}"))
