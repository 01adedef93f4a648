"""Sessions that end in every state and in every way: exactly one reason each, and nothing left."""

import asyncio

import pytest

from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.errors import DisconnectReason
from holdfast.session import Session, SessionState

pytestmark = pytest.mark.asyncio

FAST = """
[ppp]
restart_timer = 0.1
[gateway]
max_connections = 100
[admission]
flaps = 0
"""
STAGES = ("SESSION_START", "CALL_UP", "LCP_UP", "AUTH_SUCCESS", "IP_UP", "closing")


def now() -> float:
    return asyncio.get_running_loop().time()


def broken(*_arguments):
    raise RuntimeError("broken")


async def freeze_at(world, crowd, stage: str):
    """Bring one client up to a stage at which nothing it sends or gets arrives any more."""
    event = "IP_UP" if stage == "closing" else stage

    def watch(record: dict) -> None:
        if record["event"] == event:
            world.engine.drop = world.client_engine.drop = True

    world.log.listeners.append(watch)
    client = await crowd.dial()
    await world.said(event)
    if stage == "closing":
        world.gateway.close_session(world.only(), DisconnectReason.ADMIN, "an administrator ended the session")
        assert world.only().session.state is SessionState.CLOSING
    return client


async def tcp_is_reset(_world, client):
    client.transport.abort()


async def tcp_is_closed(_world, client):
    client.transport.close()


async def control_connection_is_stopped(_world, client):
    client.machine.close(DisconnectReason.USER_REQUEST, now())
    client.drive()


async def call_is_cleared(_world, client):
    client.machine.clear_call(client.call_id, now())
    client.drive()


async def client_terminates_lcp(world, client):
    world.engine.drop = world.client_engine.drop = False
    client.session.close(DisconnectReason.USER_REQUEST, "enough", now())
    client.drive_session()


async def administrator_ends_it(world, _client):
    for subscriber in list(world.gateway.subscribers.values()):
        world.gateway.close_session(subscriber, DisconnectReason.ADMIN, "an administrator ended the session")


async def engine_says_dead(world, _client):
    for handle in list(world.engine.calls):
        world.engine.tell(Upcall(UpcallKind.DEAD, handle, value=3))
        world.engine.tell(Upcall(UpcallKind.ECHO_RECOVERED, handle))
        world.engine.tell(Upcall(UpcallKind.MPPE_DESYNC, handle))


async def something_of_ours_breaks(world, _client):
    for handle in list(world.engine.calls):
        world.engine.tell(Upcall(UpcallKind.MPPE_DESYNC, handle))


async def garbage_on_the_control_connection(_world, client):
    client.transport.write(bytes(400))


async def gateway_stops(world, _client):
    await world.gateway.stop(1.0)


async def everything_at_once(world, client):
    await engine_says_dead(world, client)
    await administrator_ends_it(world, client)
    client.transport.abort()


WAYS = (
    tcp_is_reset,
    tcp_is_closed,
    control_connection_is_stopped,
    call_is_cleared,
    client_terminates_lcp,
    administrator_ends_it,
    engine_says_dead,
    something_of_ours_breaks,
    garbage_on_the_control_connection,
    gateway_stops,
    everything_at_once,
)


@pytest.mark.parametrize("world", [FAST], indirect=True, ids=["fast"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("stage", STAGES)
async def test_one_reason_and_nothing_left(world, crowd, stage, way, monkeypatch):
    client = await freeze_at(world, crowd, stage)
    (session,) = world.gateway.subscribers
    if way is something_of_ours_breaks:
        monkeypatch.setattr(Session, "mppe_desync", broken)
    await way(world, client)
    await crowd.until(lambda: not world.gateway.subscribers)
    ends = world.named("TEARDOWN")
    assert [end["session"] for end in ends] == [session]
    assert ends[0]["reason"] in set(DisconnectReason)
    assert ends[0]["evidence"]
    if stage == "closing":
        assert ends[0]["reason"] == "admin", "the first cause is the reason"
    assert world.nothing_left()
    assert not any(visit.subscriber.up for visit in world.gateway.patrol._visits)
    client.transport.abort()
    await crowd.until(lambda: not world.gateway.connections)
    assert world.gateway.door.admission.state() == {"connections": 0, "sessions": 0, "half_open": 0}
    await asyncio.sleep(0.02)
    assert len(world.named("TEARDOWN")) == 1


@pytest.mark.parametrize("world", [FAST + "[timeouts]\nsetup_timeout = 0.4\n"], indirect=True, ids=["fast"])
@pytest.mark.parametrize("stage", STAGES[1:4])
async def test_a_client_that_does_nothing_more(world, crowd, stage):
    await freeze_at(world, crowd, stage)
    await crowd.until(lambda: not world.gateway.subscribers)
    assert len(world.named("TEARDOWN")) == 1
    assert world.nothing_left()


@pytest.mark.parametrize("world", [FAST], indirect=True, ids=["fast"])
async def test_many_come_and_go_and_nothing_piles_up(world, crowd):
    for number in range(30):
        client = await crowd.up()
        await WAYS[number % 4](world, client)
        await crowd.until(lambda: not world.gateway.subscribers)
        client.transport.abort()
        crowd.clients.clear()
    await crowd.until(lambda: not world.gateway.connections)
    assert world.nothing_left()
    assert len(world.named("TEARDOWN")) == 30
