"""Runs the probes of one tunnel while it is up: the cadences on the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from holdfast.events import Event
from holdfast.probe.cadence import Cadence, Redial, RunProbe
from holdfast.probe.outcome import Outcome
from holdfast.probe.place import Place
from holdfast.probe.run import run
from holdfast.probe.settings import Probe

Run = Callable[[Probe, Place], Awaitable[Outcome]]


class ProbeRunner:
    """The probes of one session of a tunnel. `run` until the tunnel is down, then cancel it."""

    def __init__(
        self,
        cadences: Sequence[Cadence],
        place: Place,
        *,
        tell: Callable[[Event], None],
        redial: Callable[[str], Awaitable[None]],
        run_one: Run = run,
    ) -> None:
        """`redial` is given the sentence why the tunnel is of no use."""
        self._loop = asyncio.get_running_loop()
        self._cadences, self._place = cadences, place
        self._tell, self._redial, self._run_one = tell, redial, run_one

    async def run(self) -> None:
        """Follow all cadences, side by side."""
        await asyncio.gather(*map(self._follow, self._cadences))

    async def once(self) -> list[Outcome]:
        """Run each now, besides its cadence; return how they turned out, in their order."""
        outcomes = await asyncio.gather(*(self._run_one(one.probe, self._place) for one in self._cadences))
        for cadence, outcome in zip(self._cadences, outcomes, strict=True):
            cadence.noted(outcome, self._loop.time())
            await self._obey(cadence)
        return outcomes

    async def _follow(self, cadence: Cadence) -> None:
        cadence.open(self._loop.time())
        try:
            while cadence.deadline is not None:
                await asyncio.sleep(cadence.deadline - self._loop.time())
                cadence.handle_timer(self._loop.time())
                await self._obey(cadence)
        finally:
            cadence.close()

    async def _obey(self, cadence: Cadence) -> None:
        """Do what the cadence wants, until it wants nothing more."""
        while commands := cadence.commands():
            for command in commands:
                if isinstance(command, RunProbe):
                    outcome = await self._run_one(command.probe, self._place)
                    cadence.finished(outcome, self._loop.time())
                    self._tell_all(cadence)
                elif isinstance(command, Redial):
                    await self._redial(command.evidence)
        self._tell_all(cadence)

    def _tell_all(self, cadence: Cadence) -> None:
        for event in cadence.events():
            self._tell(event)
