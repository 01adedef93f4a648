"""Packets that come again are told, and a little disorder is not."""

import pytest

from holdfast.gateway.repeats import QUIET, repeats

pytestmark = pytest.mark.asyncio


def look(world, now=0.0, **counts):
    world.counts(**counts)
    subscriber = world.only()
    repeats(world.gateway, subscriber, world.gateway.counters(subscriber), now)


async def test_many_repeated_packets_are_told_once_in_a_while(world, crowd):
    await crowd.up()
    look(world, gre_packets_in=100, drops={"duplicate": 30, "late": 30, "no_route": 500})
    told = await world.said("REPLAYED")
    assert (told["severity"], told["packets"], told["user"]) == ("error", 60, "alice")
    assert "60 of 100 GRE packets from 127.0.0.1 since the last look had come before" in told["detail"]
    look(world, QUIET - 1, gre_packets_in=200, drops={"duplicate": 90, "late": 30})
    look(world, QUIET, gre_packets_in=300, drops={"duplicate": 150, "late": 30})
    await crowd.until(lambda: len(world.named("REPLAYED")) == 2)
    assert world.named("REPLAYED")[1]["packets"] == 120


async def test_a_little_disorder_is_not_told(world, crowd):
    await crowd.up()
    look(world, gre_packets_in=100, drops={"duplicate": 49})
    look(world, gre_packets_in=10_000, drops={"duplicate": 1_000, "late": 900})
    await crowd.hang_up(crowd.clients[0])
    await world.said("TEARDOWN")
    assert not world.named("REPLAYED")


async def test_the_patrol_looks_at_it(world, crowd):
    await crowd.up()
    world.counts(gre_packets_in=100, drops={"duplicate": 100})
    world.gateway.patrol._visit(world.only(), world.gateway.now())
    assert (await world.said("REPLAYED"))["packets"] == 100
