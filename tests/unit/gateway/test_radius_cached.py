"""Signing in while no RADIUS server answers, for those who were let in lately."""

import sqlite3

import pytest

from holdfast.gateway.radius import use_radius
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.state_changes import StateChanges
from holdfast.policy.users import Users
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import CcpConfig, MppePolicy
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from support.pns_client import PnsClient
from unit.gateway.test_radius import PLAIN, charged, configuration, ended, serving

pytestmark = pytest.mark.asyncio
CACHED = 'when_down = "cached"\n'
YES = (Code.ACCESS_ACCEPT, [attribute("Idle-Timeout", 77)])


class Moody:
    """A server that can be told what to say; None is silence."""

    def __init__(self, answer) -> None:
        self.answer = answer

    def __call__(self, _request):
        return self.answer


def use(world, directory, port: int) -> None:
    use_radius(world.gateway, configuration(directory, port, CACHED), Authenticator([Users(world.store)]), world.store)


async def dial(world, user: str, password: str, method=Method.PAP) -> PnsClient:
    ccp = CcpConfig(policy=MppePolicy.PREFER)
    return await PnsClient.dial(world.client_engine, world.port, user, password, methods=(method,), ccp=ccp)


async def leave(world, client) -> None:
    await world.api.disconnect({"user": client.session._link._config.credentials.user})
    await client.wait(lambda: client.ended is not None)


async def sign_in(world, user: str, password: str, method=Method.PAP) -> None:
    client = await dial(world, user, password, method)
    await client.up()
    await client.wait(lambda: world.gateway.subscribers)
    world.origin = next(iter(world.gateway.subscribers.values())).effective.origin("idle_timeout")
    await leave(world, client)


async def refused(world, user: str, password: str, method=Method.PAP) -> dict:
    before = len(world.named("TEARDOWN"))
    client = await dial(world, user, password, method)
    await client.wait(lambda: len(world.named("TEARDOWN")) > before, 20)
    return world.named("TEARDOWN")[-1]


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
async def test_a_password_that_was_seen_proves_its_user_again(world, tmp_path):
    moody = Moody(YES)
    async with serving(moody) as (_, port):
        use(world, tmp_path, port)
        await sign_in(world, "carol", "carol's")
        moody.answer = None
        await sign_in(world, "carol", "carol's")
        assert world.origin.endswith("Idle-Timeout (remembered)")
        await sign_in(world, "carol", "carol's", Method.MS_CHAP_V2)
        assert "let in lately" in world.named("RADIUS_FAILED")[-1]["fallback"]
        assert (await refused(world, "carol", "guess"))["reason"] == "auth_unavailable"
        assert charged(world, "carol") == 1  # it is a guess at a password that is known here
        assert (await refused(world, "mallory", "guess"))["reason"] == "auth_unavailable"
        assert charged(world, "mallory") == 0
        moody.answer = (Code.ACCESS_REJECT, [])
        await refused(world, "carol", "guess")
        moody.answer = None
        await sign_in(world, "carol", "carol's")
        moody.answer = (Code.ACCESS_REJECT, [])
        await refused(world, "carol", "carol's")
        moody.answer = None
        assert (await refused(world, "carol", "carol's"))["reason"] == "auth_unavailable"
        assert "carol's" not in str(world.records)


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
async def test_after_a_challenge_the_local_users_must_know_the_password(world, tmp_path):
    moody = Moody(YES)
    async with serving(moody) as (_, port):
        use(world, tmp_path, port)
        await sign_in(world, "alice", "secret", Method.CHAP_MD5)
        await sign_in(world, "dave", "dave's", Method.CHAP_MD5)
        moody.answer = None
        await sign_in(world, "alice", "secret", Method.MS_CHAP_V2)
        assert (await refused(world, "dave", "dave's", Method.MS_CHAP_V2))["reason"] == "auth_unavailable"
        assert charged(world, "dave") == 0


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
async def test_a_local_user_whom_radius_has_not_let_in_stays_out(world, tmp_path, unused_udp_port):
    use(world, tmp_path, unused_udp_port)
    client = await dial(world, "alice", "secret")
    assert (await ended(world, client))["reason"] == "auth_unavailable"


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
async def test_nobody_waits_for_a_database_that_another_process_holds(world, tmp_path):
    """Neither who signs in, nor all the others on the loop."""
    async with serving(Moody(YES)) as (_, port):
        use(world, tmp_path, port)
        other = sqlite3.connect(world.store.path, isolation_level=None)
        world.pool._remember = lambda _lease: None
        world.gateway.addressing._records = StateChanges()
        other.execute("BEGIN IMMEDIATE")
        client = await dial(world, "carol", "secret")
        longest, last, loop = 0.0, world.gateway.now(), world.gateway.loop

        def tick() -> None:
            nonlocal longest, last
            longest, last = max(longest, loop.time() - last), loop.time()
            loop.call_later(0.01, tick)

        tick()
        await client.up()
        await client.wait(lambda: world.gateway.logins.remote._tasks != set())
        other.execute("ROLLBACK")
        other.close()
        assert longest < 4.5  # SQLite's patience is five seconds
