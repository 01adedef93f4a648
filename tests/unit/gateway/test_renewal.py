"""Termination-Action RADIUS-Request: at the end of its time a client proves itself again, and the session goes on."""

import asyncio
import time
from ipaddress import IPv4Address

import pytest

from holdfast.errors import StateError
from holdfast.gateway import renewal
from holdfast.gateway.radius import use_radius
from holdfast.gateway.renewal import kept
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.effective import Layer, effective
from holdfast.policy.users import Users
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import CcpConfig, MppePolicy
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from support.fake_host import host_of
from support.pns_client import PnsClient
from unit.gateway.test_radius import PLAIN, configuration, ended, serving

pytestmark = pytest.mark.asyncio
FILTERS = '[filters.guests]\nrules = ["allow any"]\n[filters.staff]\nrules = ["allow any"]\n'
WITH_FILTERS = pytest.mark.parametrize("world", [PLAIN + FILTERS], indirect=True)
OPEN = CcpConfig(policy=MppePolicy.PREFER)
FIRST = [
    attribute("Session-Timeout", 1),
    attribute("Termination-Action", 1),
    attribute("State", b"ticket"),
    attribute("Filter-Id", "guests"),
    attribute("Mikrotik-Total-Limit", 5000),
]


class Server:
    """Lets in, with `first` and later with `later`; None is silence."""

    def __init__(self, later) -> None:
        self.later, self.asked = later, []

    def __call__(self, request):
        self.asked.append(request)
        return (Code.ACCESS_ACCEPT, FIRST) if len(self.asked) == 1 else self.later


async def up(world, tmp_path, port: int, method: Method = Method.CHAP_MD5) -> PnsClient:
    host_of(world)
    use_radius(world.gateway, configuration(tmp_path, port), Authenticator([Users(world.store)]))
    client = await PnsClient.dial(world.client_engine, world.port, methods=(method,), ccp=OPEN)
    await client.up()
    world.counts(bytes_in=3000, bytes_out=1000, last_user_in=time.monotonic())
    return client


@WITH_FILTERS
async def test_a_yes_brings_fresh_limits_and_the_session_goes_on(world, tmp_path):
    later = [
        attribute("Session-Timeout", 500),
        attribute("Filter-Id", "staff"),
        attribute("Mikrotik-Total-Limit", 100),
        attribute("Class", b"second"),
        attribute("Framed-IP-Address", IPv4Address("10.77.0.77")),
    ]
    server = Server((Code.ACCESS_ACCEPT, later))
    async with serving(server) as (_, port):
        client = await up(world, tmp_path, port)
        subscriber = world.only()
        address = subscriber.address
        await client.wait(lambda: world.named("RENEWED"))
        renewed = world.named("RENEWED")[0]
        assert (renewed["user"], renewed["seconds"], renewed["server"]) == ("alice", 500, f"127.0.0.1:{port}")
        first, second = server.asked
        assert first.values.octets("State") is None
        assert second.values.octets("State") == b"ticket"
        assert second.values.octets("CHAP-Challenge") != first.values.octets("CHAP-Challenge")
        await client.wait(lambda: subscriber.filtered == "staff")
        assert (subscriber.policy.session_timeout, subscriber.address) == (500, address)
        assert subscriber.grant.class_ == (b"second",)
        (sentence,) = world.named("RADIUS_IGNORED")[0]["ignored"]
        assert "Framed-IP-Address: address stays as it was" in sentence
        world.gateway.patrol.look_soon(subscriber)
        await asyncio.sleep(0.1)
        assert subscriber.up, "4,000 octets passed before: the fresh limit of 100 counts from now"
        world.counts(bytes_in=3101, bytes_out=1000)
        assert (await ended(world, client))["reason"] == "volume_limit"


@WITH_FILTERS
async def test_a_no_ends_the_session(world, tmp_path):
    server = Server((Code.ACCESS_REJECT, [attribute("Reply-Message", "no credit")]))
    async with serving(server) as (_, port):
        client = await up(world, tmp_path, port)
        end = await ended(world, client)
        assert end["reason"] == "auth_failed"
        assert "no credit" in end["evidence"]


@WITH_FILTERS
async def test_while_no_server_answers_the_session_goes_on(world, tmp_path, monkeypatch):
    monkeypatch.setattr(renewal, "AGAIN", 0.3)
    server = Server(None)
    async with serving(server) as (_, port):
        client = await up(world, tmp_path, port)
        await client.wait(lambda: world.named("RADIUS_FAILED"))
        assert "the session goes on" in world.named("RADIUS_FAILED")[0]["fallback"]
        assert world.only().up
        server.later = (Code.ACCESS_ACCEPT, [attribute("Session-Timeout", 500)])
        await client.wait(lambda: world.named("RENEWED"), 20)
        assert world.only().up
        assert client.ended is None


@WITH_FILTERS
async def test_a_method_that_cannot_be_asked_again_ends_the_session(world, tmp_path):
    server = Server(None)
    async with serving(server) as (_, port):
        client = await up(world, tmp_path, port, Method.PAP)
        end = await ended(world, client)
        assert (end["reason"], len(server.asked)) == ("session_timeout", 1)


async def test_what_was_agreed_with_the_client_stays():
    before = effective([Layer.of({"dns": ("192.0.2.1",), "session_timeout": 1.0}, "RADIUS: first")])
    fresh = effective([Layer.of({"dns": ("192.0.2.2",), "session_timeout": 9.0}, "RADIUS: second")])
    found = kept(before, fresh)
    assert (found.policy.dns, found.origin("dns")) == (("192.0.2.1",), "RADIUS: first")
    assert (found.policy.session_timeout, found.origin("session_timeout")) == (9, "RADIUS: second")
    assert found.unusable == ("RADIUS: second: dns stays as it was when the session came up",)


@WITH_FILTERS
async def test_a_yes_of_which_nobody_can_say_what_it_allows_ends_no_session(world, tmp_path, monkeypatch):
    monkeypatch.setattr(renewal, "AGAIN", 0.3)
    server = Server((Code.ACCESS_ACCEPT, [attribute("Session-Timeout", 500)]))
    directory = world.gateway.logins._authenticator.directory
    record, failed = directory.record, []

    def fail_once(user: str):
        if not failed:
            failed.append(user)
            raise StateError("the database is locked")
        return record(user)

    async with serving(server) as (_, port):
        client = await up(world, tmp_path, port)
        monkeypatch.setattr(directory, "record", fail_once)
        await client.wait(lambda: world.named("INTERNAL_FAULT"), 20)
        assert world.only().up
        await client.wait(lambda: world.named("RENEWED"), 20)
        assert world.only().up
