"""When probes run and when they count as failed, in virtual time."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from holdfast.events import ProbeFailed, ProbeRecovered
from holdfast.probe.cadence import FIRST_WITHIN, Cadence, Redial, RunProbe
from holdfast.probe.outcome import Outcome, Stage
from holdfast.probe.settings import Ping, Probe

PROBE = Probe("far", Ping("10.0.0.1"), interval=60.0, failures=3)
WELL, BAD = Outcome("fine", 0.1), Outcome("nothing came", 5.0, Stage.LOSS)


class World:
    """A cadence, a clock, and what each run turns out to be."""

    def __init__(self, probe: Probe = PROBE, seed: int = 1) -> None:
        self.cadence = Cadence(probe, random.Random(seed).randbytes)
        self.now = 1000.0
        self.began: list[float] = []
        self.redials: list[str] = []

    def run(self, outcome: Outcome) -> None:
        """Wait until it is due, and let it turn out so."""
        assert self.cadence.deadline is not None
        self.now = self.cadence.deadline
        self.cadence.handle_timer(self.now)
        assert self.cadence.commands() == [RunProbe(self.cadence.probe)]
        self.began.append(self.now)
        assert self.cadence.deadline is None, "a run does not overlap another"
        self.now += outcome.seconds
        self.cadence.finished(outcome, self.now)
        self.redials += [command.evidence for command in self.cadence.commands() if isinstance(command, Redial)]


def test_nothing_is_due_while_the_tunnel_is_down() -> None:
    cadence = World().cadence
    assert cadence.deadline is None
    cadence.handle_timer(1e9)
    assert cadence.commands() == []


def test_the_first_run_is_soon_and_the_others_keep_the_interval() -> None:
    world = World()
    world.cadence.open(world.now)
    for _ in range(200):
        world.run(WELL)
    assert 0 <= world.began[0] - 1000.0 <= FIRST_WITHIN
    pauses = [later - earlier for earlier, later in pairwise(world.began)]
    assert 54.0 <= min(pauses) < max(pauses) <= 66.0
    assert abs(sum(pauses) / len(pauses) - 60.0) < 1.0
    assert world.cadence.runs["ok"] == 200


def test_tunnels_that_come_up_together_fall_out_of_step() -> None:
    worlds = [World(seed=seed) for seed in range(100)]
    for world in worlds:
        world.cadence.open(world.now)
        for _ in range(20):
            world.run(WELL)
    last = [world.began[-1] for world in worlds]
    assert max(last) - min(last) > 20.0


def test_a_run_longer_than_the_interval_is_not_followed_at_once() -> None:
    world = World(replace(PROBE, interval=2.0))
    world.cadence.open(world.now)
    world.run(replace(BAD, seconds=10.0))
    assert world.cadence.deadline is not None
    assert world.cadence.deadline - world.now >= 0.2


def test_so_many_failures_in_a_row_and_it_is_told_once() -> None:
    world = World()
    world.cadence.open(world.now)
    for outcome in (BAD, BAD, WELL, BAD, BAD):
        world.run(outcome)
    assert world.cadence.events() == []
    first_failure = world.began[3] + BAD.seconds
    world.run(BAD)
    (failed,) = world.cadence.events()
    assert failed == ProbeFailed("far", "ping", "10.0.0.1", "loss", "loss", "nothing came", 3)
    world.run(BAD)
    assert world.cadence.events() == []
    assert world.cadence.status(world.now)["failed"]
    world.run(WELL)
    (recovered,) = world.cadence.events()
    assert isinstance(recovered, ProbeRecovered)
    assert recovered.duration == pytest.approx(world.now - first_failure, abs=0.1)
    runs = world.cadence.status(world.now)["runs"]
    assert {result: count for result, count in runs.items() if count} == {"ok": 2, "loss": 6}
    assert {"timeout", "host", "name", "round_trip"} < set(runs), "each series begins at zero"


def test_a_lost_tunnel_is_not_held_against_the_probe() -> None:
    world = World()
    world.cadence.open(world.now)
    world.run(BAD)
    world.run(BAD)
    world.cadence.handle_timer(world.cadence.deadline or 0.0)
    world.cadence.close()
    assert world.cadence.deadline is None
    assert world.cadence.commands() == []
    world.cadence.finished(BAD, world.now)
    assert world.cadence.runs["loss"] == 2, "a run that was interrupted counts for nothing"
    world.cadence.open(world.now)
    world.run(BAD)
    assert world.cadence.events() == [], "failures in a row begin anew with the tunnel"


def test_what_failed_stays_failed_over_a_new_tunnel_until_it_works() -> None:
    world = World(replace(PROBE, failures=1))
    world.cadence.open(world.now)
    world.run(BAD)
    assert len(world.cadence.events()) == 1
    world.cadence.close()
    world.cadence.open(world.now)
    world.run(BAD)
    assert world.cadence.events() == []
    world.run(WELL)
    assert [type(event) for event in world.cadence.events()] == [ProbeRecovered]


def test_it_may_end_a_session_in_which_it_had_worked_and_only_such_a_one() -> None:
    world = World(replace(PROBE, reconnect=True, failures=2))
    world.cadence.open(world.now)
    for outcome in (WELL, BAD, BAD):
        world.run(outcome)
    assert world.redials == ["the probe far failed 2 times in a row: nothing came"]
    world.cadence.close()
    world.cadence.open(world.now)
    for _ in range(10):
        world.run(BAD)
    assert len(world.redials) == 1, "dialling again and again does not mend a service that is down"
    for outcome in (WELL, BAD, BAD):
        world.run(outcome)
    assert len(world.redials) == 2


def test_without_reconnect_it_never_does() -> None:
    world = World()
    world.cadence.open(world.now)
    for outcome in (WELL, *[BAD] * 9):
        world.run(outcome)
    assert world.redials == []


def test_a_run_that_somebody_asked_for_counts_and_moves_nothing() -> None:
    world = World(replace(PROBE, failures=1))
    world.cadence.open(world.now)
    due = world.cadence.deadline
    world.cadence.noted(BAD, world.now)
    assert world.cadence.deadline == due
    assert len(world.cadence.events()) == 1
    assert world.cadence.status(world.now + 3)["seconds_ago"] == 3.0
