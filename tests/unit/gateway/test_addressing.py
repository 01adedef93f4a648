"""Pools by name, networks behind clients, filters: from a client's sign-in to its end."""

from dataclasses import replace

import pytest

from support.fake_host import host_of
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio
CONFIG = """
[pools.staff]
ranges = ["10.88.0.10-10.88.0.11"]
[filters.guests]
rules = ["allow udp 53"]
[filters.staff]
rules = ["allow any"]
"""
WITH_CONFIG = pytest.mark.parametrize("world", [CONFIG], indirect=True)


async def up(world, **settings) -> PnsClient:
    world.users.set_policy("alice", settings=settings)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    return client


async def gone(world, client) -> None:
    await world.api.disconnect({"user": "alice"})
    await client.wait(lambda: client.ended is not None)
    assert world.nothing_left()


@WITH_CONFIG
async def test_a_named_pool_gives_the_address(world):
    client = await up(world, pool="staff")
    assert world.only().address == "10.88.0.10"
    await gone(world, client)


@WITH_CONFIG
async def test_networks_lead_to_the_session_while_it_is_up(world):
    host = host_of(world)
    client = await up(world, routes=["192.168.5.0/24", "192.168.6.0/24"])
    (call,) = world.engine.calls.values()
    assert call.addresses == ("10.77.0.10", "192.168.5.0/24", "192.168.6.0/24")
    await client.wait(lambda: len(host.done) == 2)
    await gone(world, client)
    await client.wait(lambda: len(host.done) == 4)
    assert host.done == [f"{word} 192.168.{n}.0/24" for word in ("add", "remove") for n in (5, 6)]


@WITH_CONFIG
@pytest.mark.parametrize("network", ["10.77.0.0/24", "10.88.0.0/16", "127.0.0.0/8", "10.77.0.1/32"])
async def test_a_network_that_belongs_to_others_is_left_out(world, network):
    client = await up(world, routes=[network, "192.168.5.0/24"])
    (call,) = world.engine.calls.values()
    assert call.addresses[1:] == ("192.168.5.0/24",)
    unusable = world.named("SETTING_UNUSABLE")[0]
    assert (unusable["setting"], unusable["value"], unusable["origin"]) == ("routes", network, "user alice")
    second = await PnsClient.dial(world.client_engine, world.port)
    await second.wait(lambda: len(world.named("SETTING_UNUSABLE")) == 3)
    assert "lies behind session" in world.named("SETTING_UNUSABLE")[-1]["detail"]
    await client.wait(lambda: True)


@WITH_CONFIG
async def test_a_filter_stands_before_the_first_packet_and_goes_with_the_session(world):
    host = host_of(world)
    client = await up(world, filter="guests", routes=["192.168.5.0/24"])
    assert "add filter0 10.77.0.10" in host.done
    assert "add filter0 {'prefix': {'addr': '192.168.5.0', 'len': 24}}" in host.done
    await world.gateway.addressing.refilter(world.only(), "staff")
    assert host.done[-4:-2] == ["delete filter0 10.77.0.10", host.done[-3]]
    assert "add filter1 10.77.0.10" in host.done[-2:]
    await gone(world, client)
    await client.wait(lambda: "delete filter1 10.77.0.10" in host.done)


@WITH_CONFIG
async def test_a_host_that_cannot_filter_lets_nobody_in(world):
    host = host_of(world)
    host.refuses = True
    world.users.set_policy("alice", settings={"filter": "guests"})
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.wait(lambda: client.ended is not None)
    assert "filter cannot be set" in world.named("TEARDOWN")[0]["evidence"]
    assert not world.named("IP_UP")


@WITH_CONFIG
@pytest.mark.parametrize(("key", "name"), [("pool", "Staff"), ("filter", "nobody")])
async def test_unknown_names_keep_a_client_out_or_are_ignored(world, key, name):
    world.users.set_policy("alice", settings={key: name})
    refused = await PnsClient.dial(world.client_engine, world.port)
    await refused.wait(lambda: refused.ended is not None)
    assert f"[{key}s.{name}]" in world.named("LIMIT")[0]["detail"]
    names = replace(world.gateway.settings.names, refuse=False)
    world.gateway.apply(replace(world.gateway.settings, names=names))
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    assert world.named("SETTING_UNUSABLE")[0]["setting"] == key
    assert world.only().address == "10.77.0.10"


@WITH_CONFIG
async def test_rates_reach_the_engine(world):
    client = await up(world, rate_up=1_000_000, rate_down=2_000_000)
    (call,) = world.engine.calls.values()
    assert call.rates == (1_000_000, 2_000_000)
    await gone(world, client)
