"""Series of echoes, judged; sent on loopback where raw sockets are allowed."""

import pytest

from holdfast.probe.outcome import EchoSeries, Stage, Way
from holdfast.probe.ping import judge
from holdfast.probe.place import Place
from holdfast.probe.run import run
from holdfast.probe.settings import Ping, Probe

HERE = "127.0.0.1"


def ways(*round_trips: float, sent: int = 4) -> tuple[EchoSeries, ...]:
    return (EchoSeries(Way.TUNNEL, HERE, sent, round_trips), EchoSeries(Way.DIRECT, HERE, sent))


@pytest.mark.parametrize(
    ("what", "seen", "verdict"),
    [
        (Ping(HERE), ways(0.1, 0.1, 0.1, 0.1), None),
        (Ping(HERE), ways(0.1, 0.1), None),
        (Ping(HERE), ways(0.1), Stage.LOSS),
        (Ping(HERE, most_loss=0.9), ways(), Stage.LOSS),
        (Ping(HERE, most_loss=0.0), ways(0.1, 0.1, 0.1), Stage.LOSS),
        (Ping(HERE, slowest=0.2), ways(0.1, 0.1, 0.1, 0.4), None),
        (Ping(HERE, slowest=0.05), ways(0.1, 0.1, 0.1, 0.1), Stage.ROUND_TRIP),
    ],
)
def test_the_way_inside_is_judged(what: Ping, seen: tuple[EchoSeries, ...], verdict: Stage | None) -> None:
    assert judge(what, seen) == verdict


@pytest.mark.root
@pytest.mark.asyncio
async def test_echoes_both_ways() -> None:
    outcome = await run(Probe("here", Ping(HERE, count=3)), Place("lo", direct="127.0.0.2"))
    assert outcome.ok, outcome.detail
    inside, outside = outcome.ways
    assert (inside.way, len(inside.round_trips), outside.way, len(outside.round_trips)) == ("tunnel", 3, "direct", 3)
    assert "the way inside costs" in outcome.detail


@pytest.mark.root
@pytest.mark.asyncio
async def test_an_address_that_does_not_answer() -> None:
    outcome = await run(Probe("far", Ping("192.0.2.1", count=2), timeout=0.3), Place("lo"))
    assert (outcome.result, outcome.ways[0].loss) == ("loss", 1.0)
    assert "none of 2 echoes to 192.0.2.1 through the tunnel were answered" in outcome.detail


@pytest.mark.root
@pytest.mark.asyncio
async def test_a_name_that_this_host_does_not_know() -> None:
    outcome = await run(Probe("far", Ping("no-such-host.invalid")), Place("lo"))
    assert outcome.stage is Stage.NAME
    assert not outcome.timed_out


@pytest.mark.asyncio
async def test_an_interface_that_is_not_there() -> None:
    outcome = await run(Probe("far", Ping(HERE)), Place("no-such-link"))
    assert outcome.stage is Stage.HOST
    assert "no-such-link" in outcome.detail
