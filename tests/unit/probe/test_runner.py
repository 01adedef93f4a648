"""Cadences on the event loop, with runs that the test makes."""

import asyncio

import pytest

from holdfast.events import Event, ProbeFailed, ProbeRecovered
from holdfast.probe.cadence import Cadence
from holdfast.probe.outcome import Outcome, Stage
from holdfast.probe.place import Place
from holdfast.probe.runner import ProbeRunner
from holdfast.probe.settings import Lookup, Ping, Probe

pytestmark = pytest.mark.asyncio
PLACE = Place("pptp0")
WELL, BAD = Outcome("fine", 0.0), Outcome("nothing came", 0.0, Stage.LOSS)


class Scene:
    """A runner whose probes turn out as `outcomes` says, the last one again and again."""

    def __init__(self, *outcomes: Outcome, reconnect: bool = False) -> None:
        self.outcomes = list(outcomes)
        self.places: list[Place] = []
        self.told: list[Event] = []
        self.redialled: list[str] = []
        probes = [Probe(n, w, 1.0, failures=1, reconnect=reconnect) for n, w in WHAT.items()]
        self.cadences = [Cadence(probe, bytes) for probe in probes]
        self.runner = ProbeRunner(
            self.cadences, PLACE, tell=self.told.append, redial=self._redial, run_one=self._run_one
        )

    async def _redial(self, evidence: str) -> None:
        self.redialled.append(evidence)

    async def _run_one(self, _probe: Probe, place: Place) -> Outcome:
        self.places.append(place)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]

    async def until(self, runs: int) -> None:
        """Follow the cadences for so many runs."""
        task = asyncio.ensure_future(self.runner.run())
        async with asyncio.timeout(60):
            while sum(sum(one.runs.values()) for one in self.cadences) < runs:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})


WHAT = {"far": Ping("10.0.0.1"), "names": Lookup("intranet.example")}


async def test_each_probe_runs_and_what_happens_is_told() -> None:
    scene = Scene(BAD, BAD, WELL)
    await scene.until(4)
    assert {*scene.places} == {PLACE}
    assert [type(event) for event in scene.told] == [ProbeFailed, ProbeFailed, ProbeRecovered, ProbeRecovered]
    assert all(one.deadline is None for one in scene.cadences), "they rest when the tunnel is down"


async def test_a_failed_probe_may_have_the_tunnel_dialled_anew() -> None:
    scene = Scene(WELL, WELL, BAD, reconnect=True)
    await scene.until(4)
    assert len(scene.redialled) == 2
    assert "nothing came" in scene.redialled[0]


async def test_all_of_them_now() -> None:
    scene = Scene(WELL, BAD)
    outcomes = await scene.runner.once()
    assert outcomes == [WELL, BAD]
    assert [one.last for one in scene.cadences] == outcomes
    assert [type(event) for event in scene.told] == [ProbeFailed]
