"""What the packet engine tells becomes facts in the log, of the session that it is about."""

import errno

import pytest

from holdfast.dataplane.interface import Upcall, UpcallKind

pytestmark = pytest.mark.asyncio


async def test_gre_for_a_call_from_another_address_is_a_collision(world, crowd):
    await crowd.up()
    subscriber = world.only()
    handle, call_id = next(iter(world.engine.calls)), subscriber.local_call_id
    world.engine.tell(Upcall(UpcallKind.WRONG_PEER, handle, value=call_id, peer="192.0.2.66"))
    fact = await world.said("CALL_ID_COLLISION")
    assert (fact["severity"], fact["call_id"]) == ("error", call_id)
    assert (fact["owner"], fact["intruder"]) == ("127.0.0.1", "192.0.2.66")
    assert (fact["session"], fact["user"]) == (subscriber.session.session_id, "alice")
    assert world.only() is subscriber, "the intruder ends nobody's session"


async def test_gre_for_no_call_is_of_no_session(world):
    world.engine.tell(Upcall(UpcallKind.UNKNOWN_CALL, 0, value=4711, peer="192.0.2.66"))
    fact = await world.said("UNKNOWN_CALL")
    assert (fact["call_id"], fact["gre_source"]) == (4711, "192.0.2.66")
    assert "session" not in fact


async def test_a_host_that_refuses_to_send(world, crowd):
    await crowd.up()
    world.engine.tell(Upcall(UpcallKind.SEND_FAILED, next(iter(world.engine.calls)), value=errno.ENETUNREACH))
    fact = await world.said("SEND_FAILED")
    assert (fact["error_number"], fact["session"]) == (errno.ENETUNREACH, world.only().session.session_id)


async def test_an_engine_that_broke_ends_the_gateway_and_each_session_says_so(world, crowd):
    await crowd.up()
    world.engine.tell(Upcall(UpcallKind.BROKEN, 0, b"its thread holdfast-rx panicked: index out of bounds"))
    fact = await world.said("INTERNAL_FAULT")
    assert (fact["where"], fact["severity"]) == ("engine", "error")
    assert world.gateway.broken.is_set()
    await world.gateway.stop(0.5)
    ended = await world.said("TEARDOWN")
    assert (ended["reason"], "holdfast-rx panicked" in ended["evidence"]) == ("internal_error", True)
