"""A fault of ours costs the session in which it happens, never a session that stays half alive, never the others."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.gateway.radius import RadiusDesk
from holdfast.policy.lockout import Lockout
from holdfast.session import Session
from unit.gateway.test_radius import configuration

pytestmark = pytest.mark.asyncio


def broken(method, of_whom):
    """Return a method that fails for some and works for all others."""

    def fails(self, *arguments, **named):
        if of_whom(self):
            raise RuntimeError("a secret is in here")
        return method(self, *arguments, **named)

    return fails


def ours(session: Session) -> bool:
    return session.session_id != "client"


async def ended(world, crowd) -> dict:
    await world.said("TEARDOWN", 20)
    assert world.nothing_left()
    (end,) = world.named("TEARDOWN")
    assert "a secret" not in str(world.records)
    assert (await world.said("INTERNAL_FAULT"))["where"] == "session"
    return end


async def test_in_a_timer(world, crowd, monkeypatch):
    await crowd.up()
    monkeypatch.setattr(Session, "handle_timer", broken(Session.handle_timer, ours))
    world.only().alarm.arm(world.gateway.now())
    end = await ended(world, crowd)
    assert end["reason"] == "internal_error"
    assert end["evidence"].startswith("RuntimeError at test_faults.py:")


async def test_while_an_administrator_ends_it(world, crowd, monkeypatch):
    await crowd.up()
    monkeypatch.setattr(world.engine, "send", broken(lambda *_: None, lambda _: True))
    world.gateway.close_session(world.only(), DisconnectReason.ADMIN, "an administrator ended the session")
    end = await ended(world, crowd)
    assert end["reason"] == "admin"


async def test_that_comes_again_while_the_session_is_ended_for_it(world, crowd, monkeypatch):
    await crowd.up()
    monkeypatch.setattr(Session, "handle_timer", broken(Session.handle_timer, ours))
    monkeypatch.setattr(Session, "abort", broken(Session.abort, ours))
    world.only().alarm.arm(world.gateway.now())
    assert (await ended(world, crowd))["reason"] == "internal_error"


async def test_in_a_verdict_that_comes_late(world, crowd, monkeypatch):
    monkeypatch.setattr(Lockout, "delay", lambda *_: 0.05)
    monkeypatch.setattr(Lockout, "locked", broken(Lockout.locked, lambda _: True))
    await crowd.dial()
    assert (await ended(world, crowd))["reason"] == "internal_error"


async def test_on_a_walk_past_the_sessions(world, crowd, monkeypatch):
    """The others are looked after all the same."""
    await crowd.up()
    await crowd.up()
    first, second = world.gateway.subscribers.values()
    seen, counters = [], world.engine.counters

    def counts(handle):
        seen.append(handle)
        if handle == first.carrier.handle:
            raise RuntimeError("a secret is in here")
        return counters(handle)

    monkeypatch.setattr(world.engine, "counters", counts)
    world.gateway.patrol.begin(first)
    world.gateway.patrol.begin(second)
    await crowd.until(lambda: first.session.session_id not in world.gateway.subscribers)
    await crowd.until(lambda: second.carrier.handle in seen)
    assert world.only() is second
    assert world.gateway.patrol._alarm._handle is not None


@pytest.mark.parametrize("method", ["_timer_due", "data_received"])
async def test_of_a_control_connection(world, crowd, monkeypatch, method):
    client = await crowd.up()
    machine = type(world.only().connection._machine)
    name = {"_timer_due": "handle_timer", "data_received": "receive"}[method]
    (connection,) = world.gateway.connections
    monkeypatch.setattr(machine, name, broken(getattr(machine, name), lambda one: one is connection._machine))
    if method == "_timer_due":
        connection._alarm.arm(world.gateway.now())
    else:
        client.transport.write(bytes(4))
    await crowd.until(lambda: not world.gateway.connections)
    await crowd.until(lambda: not world.gateway.subscribers)
    assert world.nothing_left()
    assert world.gateway.door.admission.state()["connections"] == 0
    assert (await world.said("INTERNAL_FAULT"))["where"] == "control connection"


async def test_when_a_control_connection_is_lost(world, crowd, monkeypatch):
    client = await crowd.up()
    (connection,) = world.gateway.connections
    machine = type(connection._machine)
    fails = broken(machine.connection_lost, lambda one: one is connection._machine)
    monkeypatch.setattr(machine, "connection_lost", fails)
    client.transport.abort()
    await crowd.until(lambda: not world.gateway.connections)
    await crowd.until(lambda: not world.gateway.subscribers)
    assert world.nothing_left()


async def test_of_whoever_reads_the_events(world, crowd):
    """An observer that fails changes nothing for a session, and is told once."""

    def observe(_event, _context):
        raise RuntimeError("a secret is in here")

    world.log.observers.append(observe)
    client = await crowd.up()
    await crowd.hang_up(client)
    await crowd.until(lambda: not world.gateway.subscribers)
    assert world.nothing_left()
    assert world.named("TEARDOWN")[0]["reason"] == "user_request"
    (told,) = world.named("INTERNAL_FAULT")
    assert told["where"] == "event log"


async def test_in_what_radius_answers(world, crowd, tmp_path):
    """Nobody waits for a verdict that will never come."""

    class Broken:
        async def ask(self, _request):
            raise RuntimeError("a secret is in here")

        def close(self):
            pass

    config, local = configuration(tmp_path, 9), world.gateway.logins._authenticator
    world.gateway.logins.remote = RadiusDesk(world.gateway, config, Broken(), local)
    await crowd.dial()
    assert (await ended(world, crowd))["reason"] == "internal_error"


@pytest.mark.asyncio
async def test_a_fault_while_a_connection_begins_leaves_none_without_a_timer(world, crowd, monkeypatch):
    def fail(_self, _address):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(type(world.gateway.interfaces), "holding", fail)
    await crowd.dial()
    await crowd.until(lambda: world.named("INTERNAL_FAULT") and not world.gateway.connections)
    assert world.gateway.door.admission.state()["connections"] == 0
