"""Logins: budgets, locks, one session a user, hours; each refusal in the protocol's own words."""

import asyncio
import time
from dataclasses import replace

import pytest

from holdfast.errors import StateError
from holdfast.events import AuthenticationFailed
from holdfast.secret import Secret

pytestmark = pytest.mark.asyncio


def toml(text: str):
    return pytest.mark.parametrize("world", [text], indirect=True)


def code(client) -> int:
    """The E= number that the client was told last."""
    return [event for event in client.events if isinstance(event, AuthenticationFailed)][-1].result_code


async def settled(world, crowd):
    await crowd.until(lambda: not world.gateway.subscribers)


async def test_what_holds_for_the_user_holds_from_the_login_on(world, crowd):
    world.users.set_policy("alice", settings={"lcp_echo_interval": 20.0, "idle_timeout": 60.0, "preset": ["mobile"]})
    await crowd.up()
    call = next(iter(world.engine.calls.values()))
    assert (call.keepalive.interval, call.keepalive.failures) == (20, 4)
    subscriber = world.only()
    assert subscriber.policy.idle_timeout == 60
    assert subscriber.effective.origin("idle_timeout") == "user alice"
    assert subscriber.account == "alice"


@toml("[admission]\nfailed_logins = 2\nlock_time = 60\n")
async def test_failures_slow_down_and_then_lock(world, crowd):
    for _ in range(2):
        client = await crowd.refused(password="guess")
        assert code(client) == 691
        await settled(world, crowd)
    lock = await world.said("LOCKED")
    assert (lock["account"], lock["source"], lock["failures"]) == ("alice", "127.0.0.1", 2)
    client = await crowd.refused()
    assert code(client) == 691
    await settled(world, crowd)
    end = world.named("TEARDOWN")[-1]
    assert (end["reason"], "are locked for another" in end["evidence"]) == ("auth_refused", True)
    assert "guess" not in str(world.records)


@toml("[admission]\nfailed_logins = 2\nlock_time = 60\n")
async def test_a_guess_during_a_lock_tells_nothing(world, crowd, monkeypatch):
    for _ in range(2):
        await crowd.refused(password="guess")
    await settled(world, crowd)
    asked = []
    monkeypatch.setattr(world.gateway.logins._authenticator, "verify", asked.append)
    await crowd.refused(password="guess")
    await settled(world, crowd)
    assert asked == []


@toml("[admission]\nfailed_logins = 2\nlock_time = 60\n")
async def test_radius_is_not_asked_during_a_lock(world, crowd):
    """A brute force must not become the RADIUS server's load, nor lock the account in the directory behind it."""
    for _ in range(2):
        await crowd.refused(password="guess")
    await settled(world, crowd)

    class Remote:
        asked = 0

        def take(self, *_):
            self.asked += 1

        def stop(self):
            """Nothing runs."""

    world.gateway.logins.remote = remote = Remote()
    await crowd.refused()
    assert remote.asked == 0


async def test_answers_become_slow_after_the_first_failures(world, crowd):
    desk = world.gateway.logins
    for _ in range(5):
        desk.lockout.failed("alice", "127.0.0.1", world.gateway.now())
    start = time.monotonic()
    await crowd.up()
    assert time.monotonic() - start >= 1.0
    assert desk.lockout.delay("alice", "127.0.0.1", world.gateway.now()) == 0


async def test_a_slow_answer_to_a_client_that_left_is_given_to_nobody(world, crowd):
    for _ in range(5):
        world.gateway.logins.lockout.failed("alice", "127.0.0.1", world.gateway.now())
    client = await crowd.dial()
    await crowd.until(lambda: world.gateway.subscribers and world.only().claim == 1)
    client.transport.abort()
    await settled(world, crowd)
    await asyncio.sleep(1.2)
    assert world.nothing_left()


async def test_a_disabled_account_is_no_failed_guess(world, crowd):
    world.users.set_disabled("alice", True)
    client = await crowd.refused()
    assert code(client) == 647
    assert len(world.gateway.logins.lockout) == 0


async def test_an_account_that_has_expired(world, crowd):
    world.users.set_expires("alice", time.time() - 1)
    assert code(await crowd.refused()) == 648


async def test_outside_the_hours(world, crowd):
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(time.localtime().tm_wday + 3) % 7]
    world.users.set_policy("alice", settings={"hours": f"{day} 12:00-12:01"})
    client = await crowd.refused()
    assert code(client) == 646
    await settled(world, crowd)
    assert world.named("LIMIT")[0]["limit"] == "hours"
    assert world.named("TEARDOWN")[0]["reason"] == "auth_refused"


@toml("[limits]\nsessions_per_user = 2\n")
async def test_so_many_sessions_of_one_user_and_no_more(world, crowd):
    first = await crowd.up()
    await crowd.up()
    client = await crowd.refused()
    assert code(client) == 649
    assert world.named("LIMIT")[0]["detail"] == "alice has 2 sessions already"
    await crowd.until(lambda: len(world.gateway.subscribers) == 2)
    assert world.named("TEARDOWN")[0]["reason"] == "limit_reached"
    await crowd.hang_up(first)
    await crowd.up()


@toml('[limits]\nsingle_session = "deny"\n')
async def test_one_session_and_the_first_stays(world, crowd):
    first = await crowd.up()
    assert code(await crowd.refused()) == 649
    assert first.ended is None
    world.users.add("bob", Secret.from_text("secret"))
    await crowd.up("bob")


@toml('[limits]\nsingle_session = "replace-now"\n')
async def test_one_session_and_the_new_one_takes_over_at_once(world, crowd):
    first = await crowd.up()
    old = world.only().session.session_id
    await crowd.up()
    await crowd.until(lambda: len(world.gateway.subscribers) == 1)
    replaced = await world.said("REPLACED")
    assert (replaced["old_session"], replaced["new_session"]) == (old, world.only().session.session_id)
    end = world.named("TEARDOWN")[0]
    assert (end["session"], end["reason"]) == (old, "replaced")
    await crowd.until(lambda: first.ended is not None)


@toml('[limits]\nsingle_session = "replace"\n')
async def test_an_old_session_that_lives_is_kept(world, crowd):
    await crowd.up()
    call = next(iter(world.engine.calls.values()))
    dialled = await crowd.dial()
    await crowd.until(lambda: len(world.gateway.subscribers) == 2)
    await asyncio.sleep(0.3)
    call.counters = replace(call.counters, last_received=time.monotonic())
    await crowd.until(lambda: dialled.ended is not None)
    assert code(dialled) == 649
    assert not world.named("REPLACED")


@toml('[limits]\nsingle_session = "replace"\n')
async def test_an_old_session_that_is_dead_makes_room(world, crowd):
    await crowd.up()
    old = world.only().session.session_id
    start = time.monotonic()
    await crowd.up()
    assert time.monotonic() - start > 1.9
    end = await world.said("TEARDOWN")
    assert (end["session"], end["reason"]) == (old, "replaced")
    assert "did not answer a probe in 2 s" in end["evidence"]
    asked = [frame for _, frame in world.engine.sent if frame[:3] == b"\xc0\x21\x09"]
    assert len(asked) == 1


@toml('[limits]\nsingle_session = "replace"\n')
async def test_a_gateway_that_stops_during_a_probe_leaves_nothing(world, crowd):
    await crowd.up()
    await crowd.dial()
    await crowd.until(lambda: world.gateway.logins._tasks)
    await world.gateway.stop(0.5)
    assert world.nothing_left()
    await asyncio.sleep(0)
    assert not world.gateway.logins._tasks


@toml('[groups.local]\nnetworks = ["127.0.0.0/8"]\nidle_timeout = 77\n')
async def test_a_group_by_network(world, crowd):
    await crowd.up()
    subscriber = world.only()
    assert (subscriber.group, subscriber.policy.idle_timeout) == ("local", 77)


@toml("[admission]\nspray_accounts = 3\nsiege_addresses = 3\n")
async def test_a_spray_and_a_siege_are_told_by_their_own_words(world, crowd):
    for address in ("192.0.2.1", "192.0.2.2"):
        assert world.gateway.logins.guessing.failed("alice", address, world.gateway.now()) == []
    await crowd.refused("alice", "guess")
    siege = await world.said("BESIEGED")
    assert (siege["severity"], siege["account"], siege["sources"]) == ("error", "alice", 3)
    for user in ("bob", "carol"):
        assert not world.named("SPRAYING")
        await crowd.refused(user, "guess")
    spray = await world.said("SPRAYING")
    assert (spray["severity"], spray["source"], spray["accounts"], spray["failures"]) == ("error", "127.0.0.1", 3, 3)
    assert not world.named("LOCKED")


@toml("[admission]\nspray_accounts = 3\nsiege_addresses = 3\nfailed_logins = 2\n")
async def test_one_account_hammered_from_one_place_is_neither(world, crowd):
    for _ in range(4):
        await crowd.refused(password="guess")
        await settled(world, crowd)
    await world.said("LOCKED")
    assert not world.named("SPRAYING")
    assert not world.named("BESIEGED")


@toml('[limits]\nsingle_session = "replace"\n')
async def test_two_who_take_over_at_the_same_time_do_not_both_stay(world, crowd):
    """A client that dials twice while its old session is dead: one of the two comes in, and is one session."""
    await crowd.up()
    old = world.only().session.session_id
    first, second = await crowd.dial(), await crowd.dial()
    await crowd.until(lambda: first.ended or second.ended, 20)
    await crowd.until(lambda: len(world.gateway.subscribers) == 1, 20)
    await crowd.until(lambda: world.only().up, 20)
    assert world.only().session.session_id != old
    assert [end["session"] for end in world.named("TEARDOWN")].count(old) == 1
    stays = second if first.ended else first
    await asyncio.sleep(0.3)
    assert stays.ended is None


async def test_nobody_comes_in_whose_limits_cannot_be_read(world, crowd, monkeypatch):
    def unreadable(_user):
        raise StateError("the database cannot be used: disk I/O error")

    world.users.set_policy("alice", settings={"hours": "mon 00:00-00:01"})
    monkeypatch.setattr(world.gateway.logins._authenticator.directory, "record", unreadable)
    await crowd.refused()
    await settled(world, crowd)
    (end,) = world.named("TEARDOWN")
    assert end["reason"] == "internal_error"
    assert "what holds for alice cannot be read" in end["evidence"]
    assert len(world.gateway.logins.lockout._pairs) == 0
