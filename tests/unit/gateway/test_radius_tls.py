"""RADIUS over TLS: FreeRADIUS' own listener, and servers that break, drip and lie."""

import asyncio
import contextlib
import random
import ssl
from pathlib import Path

import pytest

from holdfast.config import parse
from holdfast.errors import ConfigError
from holdfast.gateway.radius import accounting_servers, make_client
from holdfast.gateway.radius_certificates import tls_ways
from holdfast.gateway.radius_client import RadiusClient
from holdfast.gateway.radius_tls import LONGEST_PAUSE, TlsLane, words_for
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import AcctStatus, Code
from holdfast.radius.exchange_types import Fault, Request
from holdfast.radius.packet import read_packet, write_reply
from holdfast.radius.stream import PacketStream
from holdfast.secret import Secret
from support import freeradius_eap
from support.certificates import CLIENT_EXTENSIONS, SERVER_EXTENSIONS, SERVER_NAME, Authority, Pair, make_authority
from support.pns_client import PnsClient
from support.ports import free_ports
from unit.gateway.test_radius import serving, use

RADSEC = Secret(b"radsec")
BOB = Request(Code.ACCESS_REQUEST, (attribute("User-Name", "bob"),), Secret(b"secret"))
ALICE = Request(Code.ACCESS_REQUEST, (attribute("User-Name", "alice"),), Secret(b"secret"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ca") / "ca")


@pytest.fixture(scope="module")
def server_pair(authority: Authority) -> Pair:
    return authority.issue(SERVER_NAME, SERVER_EXTENSIONS)


@pytest.fixture(scope="module")
def gateway_pair(authority: Authority) -> Pair:
    return private(authority.issue("gateway.example.net", CLIENT_EXTENSIONS))


def private(pair: Pair) -> Pair:
    """A key that others may read is refused."""
    pair.key.chmod(0o600)
    return pair


def table(port: int, ca: Path, own: Pair, name: str = SERVER_NAME) -> str:
    return (
        f'[[radius.servers]]\naddress = "127.0.0.1"\nport = {port}\ntransport = "tls"\nname = "{name}"\n'
        f'ca = "{ca}"\ncertificate = "{own.certificate}"\nkey = "{own.key}"\n'
    )


def client_of(text: str) -> tuple[RadiusClient, list]:
    """Return a client of the servers in a configuration, and what it reports."""
    config, events = parse(text).config, []
    return make_client(config, config.radius.servers, events.append), events


class Server(asyncio.Protocol):
    """One connection to a server over TLS; `answer` says what to do with a request: reply, octets to send, or None."""

    def __init__(self, answer, asked: list) -> None:
        self.answer, self.asked, self.stream = answer, asked, PacketStream()

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for packet in self.stream.feed(data):
            request = read_packet(packet)
            self.asked.append(request)
            answer = self.answer(request, self.transport)
            if isinstance(answer, bytes):
                self.transport.write(answer)
            elif answer is not None:
                self.transport.write(write_reply(answer, request, request.attributes[1:2], RADSEC))


@contextlib.asynccontextmanager
async def tls_serving(pair: Pair, ca: Path, answer, port: int = 0):
    """Run such a server; yields its port and what it was asked."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(pair.certificate, pair.key)
    asked: list = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(answer, asked), "127.0.0.1", port, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


@pytest.mark.root
@pytest.mark.asyncio
async def test_freeradius_over_tls_with_a_secret_of_its_own(tmp_path):
    secrets = tmp_path / "secrets"
    secrets.touch(0o600)
    secrets.write_text("127.0.0.1 another\n")
    settings = freeradius_eap.Settings(radsec_secret="another")
    with freeradius_eap.running(tmp_path / "radius", settings) as server:
        text = table(server.radsec, server.authority.pair.certificate, private(server.client))
        named = f'[radius]\nsecrets_file = "{secrets}"\n{text}own_secret = true\n'
        for words, fault in ((named, None), (text, Fault.SILENT)):
            client, _ = client_of(words + "[radius]\npatience = 3.0\n" if fault else words)
            assert (await client.ask(ALICE)).fault == fault
            client.close()


def accept(_request, _transport):
    return Code.ACCESS_ACCEPT


# --- FreeRADIUS ------------------------------------------------------------------------------------------------


@pytest.mark.root
@pytest.mark.asyncio
async def test_freeradius_over_tls(tmp_path):
    with freeradius_eap.running(tmp_path / "radius") as server:
        ca, own = server.authority.pair.certificate, private(server.client)
        client, events = client_of(table(server.radsec, ca, own))
        outcomes = await asyncio.gather(*(client.ask(one) for one in (ALICE, BOB, ALICE)))
        assert [outcome.packet.code for outcome in outcomes] == [2, 3, 2]
        assert outcomes[1].packet.values.text("Reply-Message") == "your subscription is over"
        start = Request(
            Code.ACCOUNTING_REQUEST,
            (attribute("Acct-Status-Type", AcctStatus.START), attribute("Acct-Session-Id", "s1")),
        )
        assert (await client.ask(start)).accepted
        assert [record["Acct-Session-Id"] for record in server.detail()] == ["s1"]
        assert (await client.ask(Request(Code.STATUS_SERVER, ()))).accepted
        client.close()
    assert not events


@pytest.mark.root
@pytest.mark.asyncio
async def test_a_client_of_the_gateway_is_judged_over_tls(world, tmp_path):
    with freeradius_eap.running(tmp_path / "radius") as server:
        own = private(server.client)
        use(world, parse(table(server.radsec, server.authority.pair.certificate, own)).config)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        call, mirror = (next(iter(engine.calls.values())) for engine in (world.engine, world.client_engine))
        assert call.receive.start_key == mirror.transmit.start_key


@pytest.mark.root
@pytest.mark.asyncio
async def test_freeradius_that_starts_again(tmp_path):
    """What comes while it is away fails over or waits; afterwards the next request opens a connection by itself."""
    ports = free_ports(3)
    settings = freeradius_eap.Settings(ports=ports)
    with freeradius_eap.running(tmp_path / "radius", settings) as server:
        text = table(server.radsec, server.authority.pair.certificate, private(server.client))
        client, events = client_of(text)
        assert (await client.ask(ALICE)).accepted
    assert (await client.ask(ALICE)).fault is Fault.SILENT
    assert [event.name for event in events] == ["RADIUS_DOWN"]
    with freeradius_eap.running(tmp_path / "radius", settings):
        async with asyncio.timeout(60):
            while not (await client.ask(ALICE)).accepted:
                pass
    assert events[-1].name == "RADIUS_UP"
    client.close()


@pytest.mark.root
@pytest.mark.asyncio
async def test_freeradius_does_not_know_the_gateways_certificate(tmp_path):
    stranger = private(make_authority(tmp_path / "other").issue("gateway", CLIENT_EXTENSIONS))
    with freeradius_eap.running(tmp_path / "radius") as server:
        client, events = client_of(table(server.radsec, server.authority.pair.certificate, stranger))
        assert (await client.ask(ALICE)).fault is Fault.SILENT
        client.close()
    assert "TLS failed" in events[0].detail or "does it accept this gateway's certificate" in events[0].detail


# --- who the server is -----------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_another_authority(tmp_path, authority, server_pair, gateway_pair):
    other = make_authority(tmp_path / "other").pair.certificate
    async with tls_serving(server_pair, authority.pair.certificate, accept) as (port, asked):
        client, events = client_of(table(port, other, gateway_pair))
        assert (await client.ask(ALICE)).fault is Fault.SILENT
        client.close()
    assert "the server's certificate is not accepted" in events[0].detail
    assert not asked


@pytest.mark.parametrize(("name", "good"), [("other.example.net", False), ("", True), (SERVER_NAME, True)])
@pytest.mark.asyncio
async def test_the_name_in_the_certificate(authority, server_pair, gateway_pair, name, good):
    """Without a name the address must stand in it, as it does here."""
    async with tls_serving(server_pair, authority.pair.certificate, accept) as (port, asked):
        client, events = client_of(table(port, authority.pair.certificate, gateway_pair, name))
        assert (await client.ask(ALICE)).accepted is good
        client.close()
    assert bool(asked) is good
    assert good or "certificate is not accepted: Hostname mismatch" in events[0].detail


# --- servers that break ----------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_many_identifiers_on_one_connection_and_more_connections_as_needed(authority, server_pair, gateway_pair):
    connections: set = set()

    def answer(_request, transport):
        connections.add(transport)
        return Code.ACCESS_ACCEPT

    async with tls_serving(server_pair, authority.pair.certificate, answer) as (port, _):
        client, _ = client_of(table(port, authority.pair.certificate, gateway_pair))
        names = [f"user{number}" for number in range(600)]
        requests = [Request(Code.ACCESS_REQUEST, (attribute("User-Name", name),)) for name in names]
        outcomes = await asyncio.gather(*map(client.ask, requests))
        assert [outcome.packet.values.text("User-Name") for outcome in outcomes] == names
        assert len(connections) == 3
        client.close()


@pytest.mark.asyncio
async def test_a_server_that_dies_in_the_middle_is_asked_again_over_a_new_connection(
    authority, server_pair, gateway_pair
):
    def answer(_request, transport):
        if len(asked) == 2:
            transport.abort()
            return None
        return Code.ACCESS_ACCEPT

    async with tls_serving(server_pair, authority.pair.certificate, answer) as (port, asked):
        client, events = client_of(table(port, authority.pair.certificate, gateway_pair))
        assert (await client.ask(ALICE)).accepted
        assert (await client.ask(ALICE)).accepted
        assert len(asked) == 3
        client.close()
    assert not events


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.asyncio
async def test_a_server_that_always_hangs_up_is_left_for_the_next_one(
    tmp_path, authority, server_pair, gateway_pair, end
):
    """TLS fails over to UDP."""
    path = tmp_path / "secrets"
    path.write_text("127.0.0.1 testing123\n")
    path.chmod(0o600)

    def hang_up(_request, transport):
        getattr(transport, end)()

    async with (
        tls_serving(server_pair, authority.pair.certificate, hang_up) as (port, asked),
        serving(lambda _: (Code.ACCESS_ACCEPT, [])) as (_, udp),
    ):
        text = f'[radius]\nsecrets_file = "{path}"\n' + table(port, authority.pair.certificate, gateway_pair)
        client, events = client_of(text + f'[[radius.servers]]\naddress = "127.0.0.1"\nport = {udp}\n')
        outcome = await client.ask(ALICE)
        assert (outcome.server, outcome.accepted) == (f"127.0.0.1:{udp}", True)
        assert len(asked) == 3
        client.close()
    assert [event.name for event in events] == ["RADIUS_DOWN"]


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(200), random.Random(6614).randbytes(2000), b"\2\0\0\x14" + bytes(16)],
    ids=["http", "zeros", "noise", "unsigned"],
)
@pytest.mark.asyncio
async def test_garbage_on_the_stream_closes_it(authority, server_pair, gateway_pair, garbage):
    def answer(request, _transport):
        return bytes((garbage[0], request.identifier)) + garbage[2:] if len(asked) == 1 else Code.ACCESS_ACCEPT

    async with tls_serving(server_pair, authority.pair.certificate, answer) as (port, asked):
        client, _ = client_of(table(port, authority.pair.certificate, gateway_pair))
        outcome = await client.ask(ALICE)
        assert outcome.accepted
        assert len(asked) >= 2
        client.close()


@pytest.mark.asyncio
async def test_a_server_that_drips_is_given_up(authority, server_pair, gateway_pair):
    """An octet now and then is no sign of life: the next request gets another connection."""
    drips, connections = [], []

    async def drip(transport) -> None:
        for octet in b"\2\0\x0f\xff" + bytes(4000):
            if transport.is_closing():
                return
            transport.write(bytes((octet,)))
            await asyncio.sleep(0.02)

    def answer(_request, transport):
        if transport not in connections:
            connections.append(transport)
        if transport is not connections[0]:
            return Code.ACCESS_ACCEPT
        drips.append(asyncio.ensure_future(drip(transport)))
        return None

    async with tls_serving(server_pair, authority.pair.certificate, answer) as (port, _):
        text = "[radius]\ntimeout = 0.1\ntries = 2\npatience = 1.0\n"
        client, events = client_of(text + table(port, authority.pair.certificate, gateway_pair))
        first = await client.ask(ALICE)
        if not first.accepted:  # a busy machine may be given a second connection while the first request lasts
            assert first.fault is Fault.SILENT
            assert [event.name for event in events] == ["RADIUS_DOWN"]
        async with asyncio.timeout(60):
            while not (await client.ask(ALICE)).accepted:
                pass
        client.close()
    assert len(connections) == 2
    await asyncio.gather(*drips)


@pytest.mark.asyncio
async def test_attempts_to_connect_become_rare(monkeypatch, unused_tcp_port, authority, gateway_pair):
    slept: list[float] = []
    told = asyncio.Event()

    class Owner:
        def disconnected(self, server, lane, why, *, was_open):
            assert (why, was_open) == ("nobody listens there", False)
            told.set()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("holdfast.gateway.radius_tls.asyncio.sleep", sleep)
    config = parse(table(unused_tcp_port, authority.pair.certificate, gateway_pair)).config
    way = tls_ways(config.radius.servers)["127.0.0.1", unused_tcp_port]
    lane = TlsLane(Owner(), (0, 0), ("127.0.0.1", unused_tcp_port), way)
    for _ in range(10):
        told.clear()
        lane.send(b"x")
        await asyncio.wait_for(told.wait(), 60)
    assert slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, *[LONGEST_PAUSE] * 3]
    lane.close()


# --- files -----------------------------------------------------------------------------------------------------


def test_files_that_are_of_no_use(tmp_path, authority, server_pair, gateway_pair):
    ca = authority.pair.certificate

    def problem(text: str) -> str:
        with pytest.raises(ConfigError) as caught:
            tls_ways(parse(text).config.radius.servers)
        return caught.value.text()

    nothing, key = tmp_path / "none.pem", tmp_path / "k.key"
    assert "cannot be read: No such file" in problem(table(1, nothing, gateway_pair))
    nothing.write_text("hello")
    assert "is no PEM file" in problem(table(1, nothing, gateway_pair))
    assert "cannot be used" in problem(table(1, ca, Pair(gateway_pair.certificate, private(server_pair).key)))
    key.write_bytes(gateway_pair.key.read_bytes())
    key.chmod(0o644)
    assert "other users may read the key" in problem(table(1, ca, Pair(gateway_pair.certificate, key)))


def test_accounting_goes_the_same_way(authority, gateway_pair):
    config = parse(table(2083, authority.pair.certificate, gateway_pair)).config
    assert [str(server) for server in accounting_servers(config)] == ["127.0.0.1:2083"]


def test_words():
    assert words_for(TimeoutError()) == "no TLS connection in 5 s"
    assert words_for(OSError(113, "No route to host")) == "No route to host"
    assert words_for(ConnectionResetError()) == "the server hung up"
