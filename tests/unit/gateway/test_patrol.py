"""Idle, time, volume: sessions end in time, warned, and for the reason that is true."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.policy.effective import Layer, over
from holdfast.ppp.codes import Code

pytestmark = pytest.mark.asyncio


def toml(text: str):
    return pytest.mark.parametrize("world", [text], indirect=True)


@toml("[timeouts]\nidle_timeout = 0.5\n")
async def test_an_idle_session_ends(world, crowd):
    start = time.monotonic()
    await crowd.up()
    end = await world.said("TEARDOWN")
    assert (end["reason"], time.monotonic() - start > 0.4) == ("idle_timeout", True)
    assert "no user traffic since" in end["evidence"]
    assert world.nothing_left()


@toml("[timeouts]\nidle_timeout = 2.0\n")
async def test_traffic_keeps_it_open(world, crowd):
    await crowd.up()
    for key in ("last_user_in", "last_user_out") * 3:
        await asyncio.sleep(0.4)
        world.counts(**{key: time.monotonic()})
    assert world.named("TEARDOWN") == []
    assert (await world.said("TEARDOWN"))["reason"] == "idle_timeout"


@toml("[timeouts]\nsession_timeout = 3.0\ntime_warning = 2.0\n")
async def test_the_session_time_ends_it_after_a_warning(world, crowd):
    client = await crowd.up()
    warning = await world.said("TIME_REMAINING")
    assert warning["seconds"] in {1, 2}
    assert world.named("TEARDOWN") == []
    end = await world.said("TEARDOWN")
    assert (end["reason"], end["evidence"]) == ("session_timeout", "the session's 3 s are over")
    assert end["duration"] > 2.8
    sent = [frame for _, frame in world.engine.sent if frame[:3] == b"\xc0\x21" + bytes([Code.TIME_REMAINING])]
    assert len(sent) == 1
    await crowd.until(lambda: client.ended is not None)


@toml("[limits]\nvolume_limit = 1000\n")
async def test_the_volume_ends_it(world, crowd):
    await crowd.up()
    world.counts(bytes_in=600, bytes_out=399)
    world.gateway.patrol.begin(world.only())
    await asyncio.sleep(0.1)
    assert world.named("TEARDOWN") == []
    world.counts(bytes_out=401)
    world.gateway.patrol.begin(world.only())
    end = await world.said("TEARDOWN")
    assert end["reason"] == "volume_limit"
    assert end["evidence"] == "1001 octets of user packets have passed, 1000 were allowed"


@pytest.mark.parametrize(
    ("key", "counts", "way"),
    [
        ("volume_limit_in", {"bytes_in": 1000, "bytes_out": 10}, "from the client"),
        ("volume_limit_out", {"bytes_in": 10, "bytes_out": 1000}, "to the client"),
    ],
)
async def test_the_volume_of_one_direction_ends_it(world, crowd, key, counts, way):
    await crowd.up()
    subscriber = world.only()
    subscriber.effective = over(subscriber.effective, Layer.of({key: 1000}, "RADIUS"))
    world.counts(**{name: 1010 - number for name, number in counts.items()})
    world.gateway.patrol.look_soon(subscriber)
    await asyncio.sleep(0.2)
    assert subscriber.up, "the other direction has no limit"
    world.counts(**counts)
    world.gateway.patrol.look_soon(subscriber)
    end = await world.said("TEARDOWN")
    assert end["reason"] == "volume_limit"
    assert f"1000 octets of user packets {way} have passed" in end["evidence"]


async def test_an_account_that_ends_while_its_user_is_on(world, crowd):
    world.users.set_expires("alice", time.time() + 5)
    await crowd.up()
    end = await world.said("TEARDOWN")
    assert (end["reason"], end["evidence"]) == ("session_timeout", "the account's last day is over")


async def test_the_week_closes(world, crowd):
    world.users.set_policy("alice", settings={"hours": "00:00-23:59", "time_warning": 0.0})
    begun = datetime.now().astimezone()
    closing = begun.replace(hour=23, minute=58, second=54)
    world.gateway.patrol._clock = lambda: datetime.now().astimezone() - begun + closing
    await crowd.up()
    end = await world.said("TEARDOWN")
    assert end["reason"] == "session_timeout"
    assert "00:00-23:59" in end["evidence"]


async def test_a_clock_that_jumps_past_the_window_ends_it_too(world, crowd):
    world.users.set_policy("alice", settings={"hours": "mon-sun 00:00-24:00"})
    await crowd.up()
    world.users.set_policy("alice", settings={"hours": "mon 00:00-00:01"})
    world.only().effective = world.gateway.settings.policies.of(world.users.get("alice"), "192.0.2.1")
    world.gateway.patrol._clock = lambda: datetime(2026, 11, 18, 12, tzinfo=UTC)
    world.gateway.patrol.begin(world.only())
    assert (await world.said("TEARDOWN"))["reason"] == "session_timeout"


async def test_without_limits_nothing_ends(world, crowd):
    await crowd.up()
    subscriber = world.only()
    world.gateway.patrol.begin(subscriber)
    await asyncio.sleep(0.2)
    assert subscriber.up
    assert subscriber.visit_at > world.gateway.now() + 5


async def test_each_session_is_visited_once_a_round(world, crowd):
    await crowd.up()
    for _ in range(20):
        world.gateway.patrol.begin(world.only())
    await asyncio.sleep(0.3)
    later = [visit for visit in world.gateway.patrol._visits if visit.at > world.gateway.now()]
    assert len([visit for visit in later if visit.at == visit.subscriber.visit_at]) == 1
    assert len(later) <= 2
    assert timedelta(seconds=world.only().visit_at - world.gateway.now()) < timedelta(seconds=11)


@pytest.mark.asyncio
async def test_a_fault_on_the_walk_lets_nobody_stay_for_ever(world, crowd, monkeypatch):
    await crowd.up()
    patrol, walk, failed = world.gateway.patrol, type(world.gateway.patrol)._walk, []

    def fail_once(self):
        if not failed:
            failed.append(True)
            raise KeyError
        walk(self)

    monkeypatch.setattr(patrol._alarm, "_callback", lambda: fail_once(patrol))
    world.only().effective = replace(world.only().effective, policy=replace(world.only().policy, session_timeout=0.1))
    patrol.look_soon(world.only())
    assert (await world.said("TEARDOWN"))["reason"] == "session_timeout"
    assert world.named("INTERNAL_FAULT")[0]["where"] == "patrol"
