"""Packet-level detail, switched while the gateway runs."""

import pytest

from holdfast.errors import HoldfastError
from holdfast.gateway.tracing import MOST, Tracing
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio

PACKETS = {"CONTROL_MESSAGE", "PPP_PACKET"}


def packets(world) -> list[dict]:
    return [record for record in world.records if record["event"] in PACKETS]


async def test_nobody_is_traced_unless_told(world):
    Tracing(world.gateway, world.log)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    assert packets(world) == []


async def test_an_address_is_traced_from_its_first_message(world):
    tracing = Tracing(world.gateway, world.log)
    answer = await tracing.verbs()["trace"]({"address": "127.0.0.1"})
    assert answer == [{"kind": "address", "value": "127.0.0.1"}]
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    seen = packets(world)
    assert seen[0]["message"] == "Start-Control-Connection-Request"
    assert {"LCP", "CCP", "IPCP"} <= {record.get("protocol") for record in seen}
    assert "secret" not in str(seen)
    assert world.named("ADMIN")[0]["target"] == "address 127.0.0.1"


async def test_a_user_is_traced_once_signed_in(world):
    tracing = Tracing(world.gateway, world.log)
    await tracing.trace({"user": "alice"})
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    assert {record.get("protocol") for record in packets(world)} >= {"CCP", "IPCP"}
    assert "LCP" not in {record.get("protocol") for record in packets(world)}


async def test_a_session_is_traced_while_it_lasts_and_no_longer_than_wanted(world):
    tracing = Tracing(world.gateway, world.log)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    (session,) = world.gateway.subscribers
    await tracing.trace({"session": session})
    assert world.gateway.subscribers[session].session.trace
    assert await tracing.trace({"off": True}) == []
    assert not world.gateway.subscribers[session].session.trace


async def test_others_are_not_traced(world):
    tracing = Tracing(world.gateway, world.log)
    await tracing.trace({"user": "bob", "address": "192.0.2.7"})
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    assert packets(world) == []
    assert len(await tracing.trace({"user": "bob", "off": True})) == 1


async def test_choices_are_bounded(world):
    tracing = Tracing(world.gateway, world.log)
    for number in range(MOST):
        await tracing.trace({"user": f"user{number}"})
    with pytest.raises(HoldfastError, match="more than 100"):
        await tracing.trace({"user": "one more"})
    assert len(await tracing.trace({})) == MOST
