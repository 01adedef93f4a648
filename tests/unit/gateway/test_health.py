"""Half-dead sessions are told apart, and every end says what was silent."""

import asyncio
import re
import time

import pytest

from holdfast.dataplane.interface import Upcall, UpcallKind

pytestmark = pytest.mark.asyncio
GRACE = "[timeouts]\ncontrol_lost_grace = 0.6\n[ppp]\nrestart_timer = 0.1\n"
CLOCK = r"\d\d:\d\d:\d\d"


def toml(text: str):
    return pytest.mark.parametrize("world", [text], indirect=True)


def tell(world, kind: UpcallKind, value: int = 0) -> None:
    world.engine.tell(Upcall(kind, next(iter(world.engine.calls)), value=value))


async def test_gre_silent_with_the_control_connection_alive(world, crowd):
    await crowd.up()
    world.counts(last_received=time.monotonic() - 20)
    tell(world, UpcallKind.ECHO_MISSED, 1)
    await world.said("ECHO_LOST")
    await asyncio.sleep(0.1)
    assert world.named("HALF_DEAD") == [], "one lost echo is nothing special"
    tell(world, UpcallKind.ECHO_MISSED, 2)
    half = await world.said("HALF_DEAD")
    assert half["direction"] == "received"
    assert re.search(rf"no GRE from the client since {CLOCK}; the control connection answers", half["detail"])
    tell(world, UpcallKind.DEAD, 3)
    end = await world.said("TEARDOWN")
    assert end["reason"] == "echo_timeout"
    assert re.fullmatch(
        rf"3 LCP echoes unanswered since {CLOCK}; control connection alive: GRE from 127\.0\.0\.1 stopped",
        end["evidence"],
    )
    assert len(world.named("HALF_DEAD")) == 1


async def test_gre_that_comes_back(world, crowd):
    await crowd.up()
    for missed in (1, 2):
        tell(world, UpcallKind.ECHO_MISSED, missed)
    await world.said("HALF_DEAD")
    tell(world, UpcallKind.ECHO_RECOVERED)
    await world.said("RECOVERED")
    subscriber = world.only()
    assert (subscriber.missed, subscriber.missed_since, subscriber.silent) == (0, None, set())
    assert world.named("TEARDOWN") == []


async def test_both_channels_silent(world, crowd):
    client = await crowd.up()
    client.transport.pause_reading()
    tell(world, UpcallKind.ECHO_MISSED, 1)
    tell(world, UpcallKind.ECHO_MISSED, 2)
    tell(world, UpcallKind.DEAD, 3)
    end = await world.said("TEARDOWN")
    assert re.search(rf"control connection open, but silent since {CLOCK}: 127\.0\.0\.1 or the way", end["evidence"])
    assert world.named("HALF_DEAD") == []


@toml("[ppp]\nlcp_echo_failures = 1\n")
async def test_one_echo_is_enough_where_that_is_asked_for(world, crowd):
    await crowd.up()
    tell(world, UpcallKind.ECHO_MISSED, 1)
    tell(world, UpcallKind.DEAD, 1)
    assert (await world.said("TEARDOWN"))["evidence"].startswith("1 LCP echo unanswered since")


async def test_control_lost_ends_at_once_and_says_how_gre_was(world, crowd):
    client = await crowd.up()
    world.counts(last_received=time.monotonic() - 0.3)
    client.transport.abort()
    end = await world.said("TEARDOWN")
    assert end["reason"] == "control_lost"
    assert re.search(
        rf"control connection lost at {CLOCK} \(.+\); GRE from 127\.0\.0\.1 came last 0\.\d s before", end["evidence"]
    )
    assert world.nothing_left()


@toml(GRACE)
async def test_control_lost_with_grace_while_gre_lives(world, crowd):
    client = await crowd.up()
    world.counts(last_received=time.monotonic())
    client.transport.abort()
    half = await world.said("HALF_DEAD")
    assert (half["direction"], world.named("TEARDOWN")) == ("control", [])
    assert not world.gateway.connections
    lost = time.monotonic()
    end = await world.said("TEARDOWN")
    assert end["reason"] == "control_lost"
    assert time.monotonic() - lost > 0.3, "the grace"
    assert "the grace is over" in end["evidence"]
    assert world.nothing_left()


@toml(GRACE)
async def test_no_grace_when_gre_is_silent_too(world, crowd):
    client = await crowd.up()
    world.counts(last_received=time.monotonic() - 100)
    client.transport.abort()
    await world.said("TEARDOWN")
    assert world.named("HALF_DEAD") == []


@toml("[timeouts]\ncontrol_lost_grace = 60\n")
async def test_gre_that_dies_within_the_grace(world, crowd):
    client = await crowd.up()
    world.counts(last_received=time.monotonic())
    client.transport.abort()
    await world.said("HALF_DEAD")
    tell(world, UpcallKind.ECHO_MISSED, 1)
    tell(world, UpcallKind.DEAD, 3)
    end = await world.said("TEARDOWN")
    assert "control connection lost before: the client or its network is gone" in end["evidence"]
    assert world.nothing_left()


@toml("[gateway]\necho_interval = 0.2\necho_timeout = 0.3\n")
async def test_a_control_connection_that_stays_silent(world, crowd):
    client = await crowd.up()
    client.transport.pause_reading()
    end = await world.said("TEARDOWN")
    assert end["reason"] == "control_lost"
    assert "no Echo-Reply within 0.3 s" in end["evidence"]


async def test_a_client_that_does_not_hear_us(world, crowd):
    await crowd.up()
    subscriber, now = world.only(), time.monotonic()
    world.counts(last_received=now, unacknowledged_since=now - 40)
    world.gateway.patrol.begin(subscriber)
    half = await world.said("HALF_DEAD")
    assert half["direction"] == "sent"
    assert re.search(rf"acknowledged nothing of ours since {CLOCK}", half["detail"])
    world.gateway.patrol.begin(subscriber)
    await asyncio.sleep(0.1)
    assert len(world.named("HALF_DEAD")) == 1
    assert (await world.operation.why({"session": subscriber.session.session_id}))["silent"] == ["sent"]
    world.counts(unacknowledged_since=0.0)
    world.gateway.patrol.begin(subscriber)
    assert (await world.said("RECOVERED"))["detail"] == "the client acknowledges again"


async def test_a_client_that_is_silent_altogether_is_no_case_of_one_direction(world, crowd):
    await crowd.up()
    now = time.monotonic()
    world.counts(last_received=now - 40, unacknowledged_since=now - 40)
    world.gateway.patrol.begin(world.only())
    await asyncio.sleep(0.1)
    assert world.named("HALF_DEAD") == []
