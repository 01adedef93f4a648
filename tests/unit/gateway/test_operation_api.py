"""why, reload, drain, unlock and notes about users on the control socket."""

import time

import pytest

from holdfast.errors import HoldfastError

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    "world", ["[timeouts]\nidle_timeout = 900\n[ppp]\nauthentication_timeout = 20\n"], indirect=True
)
async def test_why(world, crowd):
    world.users.set_policy("alice", settings={"session_timeout": 3600.0})
    await crowd.up()
    world.counts(bytes_in=1000, bytes_out=24, last_user_in=time.monotonic() - 5)
    subscriber = world.only()
    subscriber.up_at -= 60
    answer = await world.operation.why({"session": subscriber.session.session_id[-6:]})
    shown = {one["key"]: (one["value"], one["origin"]) for one in answer["settings"] + answer["before_login"]}
    assert shown["idle_timeout"] == (900, f"{world.file}:2")
    assert shown["session_timeout"] == (3600, "user alice")
    assert shown["lcp_echo_failures"] == (3, "default")
    assert shown["ppp.authentication_timeout"] == (20, f"{world.file}:4")
    assert (answer["user"], answer["state"], answer["silent"]) == ("alice", "up", [])
    used = answer["used"]
    assert (used["octets"], used["detection_time"], used["echoes_missed"]) == (1024, 30, 0)
    idle, time_limit = answer["ends"]
    assert (idle["why"], 860 < idle["seconds"] <= 895) == ("unless there is user traffic before (idle_timeout)", True)
    assert (time_limit["why"], 3500 < time_limit["seconds"] <= 3540) == ("the session's 3600 s are over", True)
    assert shown["ppp.max_configure"] == (10, "default")
    assert 60 <= used["session_time"] < 65
    assert 5 <= used["idle"] < 10


async def test_why_before_anybody_signed_in(world, crowd):
    world.engine.drop = True
    await crowd.dial()
    await world.said("SESSION_START")
    answer = await world.operation.why({"session": world.only().session.session_id})
    assert (answer["user"], answer["used"]["session_time"], answer["used"]["idle"]) == ("", None, None)
    assert answer["ends"] == []


@pytest.mark.parametrize("session", [None, "", 7, "nobody"])
async def test_why_of_nothing(world, session):
    with pytest.raises(HoldfastError, match="no such session"):
        await world.operation.why({"session": session})


@pytest.mark.parametrize("deadline", [-1, "soon", 1e9, [1]])
async def test_a_deadline_is_a_number(world, deadline):
    with pytest.raises(HoldfastError, match="number of seconds"):
        await world.operation.drain({"deadline": deadline})
    assert not world.gateway.draining


async def test_the_verbs(world):
    assert set(world.operation.verbs()) == {"why", "reload", "drain", "unlock"}


@pytest.mark.parametrize("world", ["[admission]\nfailed_logins = 1\n"], indirect=True)
async def test_a_locked_account_is_let_in_again(world, crowd):
    await crowd.refused(password="guess")
    await world.said("LOCKED")
    assert await world.operation.unlock({"user": "alice", "address": "127.0.0.1"}) == {"unlocked": True}
    assert await world.operation.unlock({"user": "alice", "address": "127.0.0.1"}) == {"unlocked": False}
    assert world.named("ADMIN")[0]["user"] == "alice", "a name in the text alone would escape its pseudonym"
    await crowd.up()


@pytest.mark.parametrize("request_", [{}, {"user": "alice"}, {"user": "", "address": "x"}, {"user": 1, "address": 2}])
async def test_unlock_needs_both_names(world, request_):
    with pytest.raises(HoldfastError, match="name a user and an address"):
        await world.operation.unlock(request_)
