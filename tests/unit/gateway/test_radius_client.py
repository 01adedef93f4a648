"""The client's sockets: many at once, failover, ends."""

import asyncio
import errno
import secrets

import pytest

from holdfast.events import RadiusServerDown
from holdfast.gateway.radius_client import RadiusClient
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import ExchangeConfig, Fault, Request, ServerConfig
from holdfast.secret import Secret
from support.freeradius import SECRET
from unit.gateway.test_radius import serving

pytestmark = pytest.mark.asyncio
QUICK = ExchangeConfig(first_wait=0.5, tries=2, patience=3.0)


def request(name: str) -> Request:
    return Request(Code.ACCESS_REQUEST, (attribute("User-Name", name),))


def client_of(*ports: int, config: ExchangeConfig = QUICK) -> tuple[RadiusClient, list]:
    servers = {
        ("127.0.0.1", port): ServerConfig(f"s{place}", Secret.from_text(SECRET), place + 1)
        for place, port in enumerate(ports)
    }
    events: list = []
    return RadiusClient(servers, config, secrets.token_bytes, events.append), events


async def test_a_thousand_at_once_each_get_their_own_answer():
    async with serving(lambda asked: (Code.ACCESS_ACCEPT, [attribute("Class", asked.values.octets("User-Name"))])) as (
        server,
        port,
    ):
        client, _ = client_of(port, config=ExchangeConfig(patience=10))
        names = [f"user{number}" for number in range(1000)]
        outcomes = await asyncio.gather(*(client.ask(request(name)) for name in names))
        assert [outcome.packet.values.octets("Class").decode() for outcome in outcomes] == names
        assert len(server.asked) >= 1000
        client.close()


async def test_failover_while_a_request_is_under_way(unused_udp_port):
    async with serving(lambda _: None) as (_, silent), serving(lambda _: (Code.ACCESS_REJECT, [])) as (_, good):
        client, events = client_of(silent, good)
        outcome = await client.ask(request("alice"))
        assert (outcome.server, outcome.packet.code) == ("s1", Code.ACCESS_REJECT)
        assert [type(event) for event in events] == [RadiusServerDown]
        client.close()


async def test_a_closed_port_is_noticed_at_once(unused_udp_port):
    async with serving(lambda _: (Code.ACCESS_REJECT, [])) as (_, good):
        client, _ = client_of(unused_udp_port, good, config=ExchangeConfig(first_wait=5, patience=20))
        async with asyncio.timeout(60):
            assert (await client.ask(request("alice"))).server == "s1"
        client.close()


async def test_who_stops_waiting_leaves_nothing_behind():
    async with serving(lambda _: None) as (_, silent):
        client, _ = client_of(silent)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.ask(request("alice")), 0.05)
        assert client._exchange.waiting == 0
        assert (await client.ask(request("bob"))).fault is Fault.SILENT
        client.close()


async def test_closing_lets_go_of_who_waits():
    async with serving(lambda _: None) as (_, silent):
        client, _ = client_of(silent)
        waiting = asyncio.ensure_future(client.ask(request("alice")))
        await asyncio.sleep(0.05)
        client.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting


class Dead:
    """The transport of a socket whose address this host has lost (ENETUNREACH for whatever it sends, for ever)."""

    def __init__(self, lane) -> None:
        self.lane, self.closed = lane, False

    def sendto(self, _octets) -> None:
        self.lane.error_received(OSError(errno.ENETUNREACH, "Network is unreachable"))

    def close(self) -> None:
        self.closed = True


async def test_a_host_that_got_another_address_asks_on_from_that():
    async with serving(lambda _: (Code.ACCESS_ACCEPT, [])) as (_, port):
        client, events = client_of(port)
        assert (await client.ask(request("alice"))).accepted
        (lane,) = client._lanes.values()
        whole, lane._transport = lane._transport, Dead(lane)
        assert (await client.ask(request("bob"))).accepted
        assert next(iter(client._lanes.values())) is not lane
        assert lane._transport.closed
        assert events == []
        whole.close()
        client.close()
