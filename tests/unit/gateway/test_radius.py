"""Clients judged by RADIUS: by a real FreeRADIUS, and by servers that behave badly."""

import asyncio
import contextlib
import secrets
from pathlib import Path

import pytest

from holdfast.config import Config, parse
from holdfast.errors import ConfigError
from holdfast.events import Severity
from holdfast.gateway.radius import accounting_servers, read_secrets, server_configs, use_radius
from holdfast.gateway.radius_client import RadiusClient
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.lockout import _key
from holdfast.policy.users import Users
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import CcpConfig, MppePolicy
from holdfast.radius.attributes import Attribute, attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import ExchangeConfig, Fault, Request, ServerConfig
from holdfast.radius.packet import read_packet, write_reply
from holdfast.secret import Secret
from support import freeradius
from support.pns_client import PnsClient
from support.ports import free_ports

PLAIN = '[ppp]\nauthentication = ["ms-chap-v2", "ms-chap", "chap-md5", "pap"]\nmppe = "prefer"\n'

OPEN = CcpConfig(policy=MppePolicy.PREFER)


def configuration(directory: Path, port: int, more: str = "", secret: str = freeradius.SECRET) -> Config:
    path = directory / "secrets"
    path.write_text(f"# servers\n127.0.0.1 {secret}\n")
    path.chmod(0o600)
    return parse(
        f'[radius]\nservers = ["127.0.0.1:{port}"]\nsecrets_file = "{path}"\ntimeout = 1.0\npatience = 5.0\n{more}'
    ).config


def use(world, config: Config) -> None:
    use_radius(world.gateway, config, Authenticator([Users(world.store)]))


class Server(asyncio.DatagramProtocol):
    """Answers Access-Requests as the test says; `answer` returns a code and attributes, or None for silence."""

    def __init__(self, answer, secret: str = freeradius.SECRET) -> None:
        self.answer, self.secret = answer, Secret.from_text(secret)
        self.asked: list = []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        request = read_packet(data)
        self.asked.append(request)
        self.client = addr
        answer = self.answer(request)
        if answer is not None:
            self.transport.sendto(write_reply(answer[0], request, answer[1], self.secret), addr)


@contextlib.asynccontextmanager
async def serving(answer, **options):
    """Run such a server; yields it and its port."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: Server(answer, **options), ("127.0.0.1", 0))
    try:
        yield server, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def charged(world, account: str) -> int:
    """Return how many failed logins of an account were counted."""
    budget = world.gateway.logins.lockout._accounts.get(_key(account))
    return budget.failures if budget else 0


async def ended(world, client) -> dict:
    async with asyncio.timeout(60):
        while not world.named("TEARDOWN"):
            client.poll()
            await asyncio.sleep(0.01)
    return world.named("TEARDOWN")[0]


@pytest.mark.root
@pytest.mark.parametrize("world", [PLAIN], indirect=True)
@pytest.mark.parametrize("method", [Method.PAP, Method.CHAP_MD5, Method.MS_CHAP, Method.MS_CHAP_V2])
@pytest.mark.asyncio
async def test_freeradius_lets_a_client_in_by_every_method(world, tmp_path, method):
    with freeradius.running(tmp_path / "radius") as server:
        use(world, configuration(tmp_path, server.authentication))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(method,), ccp=OPEN)
        await client.up()
        (session,) = await world.api.sessions({})
        assert (session["user"], session["address"]) == ("alice", "10.77.0.99")
        call, mirror = (next(iter(engine.calls.values())) for engine in (world.engine, world.client_engine))
        if method in (Method.MS_CHAP, Method.MS_CHAP_V2):
            assert call.receive.start_key == mirror.transmit.start_key
            assert call.transmit.start_key == mirror.receive.start_key
        subscriber = next(iter(world.gateway.subscribers.values()))
        origins = {one["key"]: (one["value"], one["origin"]) for one in subscriber.effective.settings()}
        name = f"RADIUS 127.0.0.1:{server.authentication}"
        assert origins["session_timeout"] == (14400, f"{name}: Session-Timeout")
        assert origins["idle_timeout"] == (600, f"{name}: Idle-Timeout")
        assert subscriber.grant.class_ == (b"\x01\x02",)
        assert world.named("IP_UP")[0]["dns"] == ("192.0.2.99",)


@pytest.mark.root
@pytest.mark.parametrize(
    ("user", "password", "said"), [("alice", "guess", "no"), ("bob", "secret", "subscription is over")]
)
@pytest.mark.asyncio
async def test_freeradius_keeps_a_client_out(world, tmp_path, user, password, said):
    with freeradius.running(tmp_path / "radius") as server:
        use(world, configuration(tmp_path, server.authentication))
        client = await PnsClient.dial(world.client_engine, world.port, user, password)
        end = await ended(world, client)
        assert end["reason"] == "auth_failed"
        assert said in world.named("AUTH_FAIL")[0]["detail"]
        assert password not in str(world.records)


@pytest.mark.root
@pytest.mark.parametrize(("more", "reason"), [("", "auth_unavailable"), ('unsigned = ["127.0.0.1"]', "")])
@pytest.mark.asyncio
async def test_answers_that_are_not_signed_are_taken_only_where_allowed(world, tmp_path, more, reason):
    with freeradius.running(tmp_path / "radius", signed=False) as server:
        use(world, configuration(tmp_path, server.authentication, more))
        client = await PnsClient.dial(world.client_engine, world.port)
        if reason:
            assert (await ended(world, client))["reason"] == reason
            assert Fault.NOT_SIGNED in world.named("RADIUS_FAILED")[0]["detail"]
        else:
            await client.up()


@pytest.mark.asyncio
async def test_a_server_that_is_not_there(world, tmp_path, unused_udp_port):
    use(world, configuration(tmp_path, unused_udp_port))
    client = await PnsClient.dial(world.client_engine, world.port)
    end = await ended(world, client)
    assert end["reason"] == "auth_unavailable"
    assert Fault.UNREACHABLE in world.named("RADIUS_FAILED")[0]["detail"]
    assert world.named("RADIUS_DOWN")


@pytest.mark.asyncio
async def test_while_no_server_answers_local_users_may_be_let_in(world, tmp_path, unused_udp_port):
    use(world, configuration(tmp_path, unused_udp_port, 'when_down = "local"'))
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    assert world.named("RADIUS_FAILED")[0]["fallback"] == "asked the local users"


@pytest.mark.asyncio
async def test_a_local_user_is_not_let_in_while_radius_says_no(world, tmp_path):
    async with serving(lambda _: (Code.ACCESS_REJECT, [])) as (server, port):
        use(world, configuration(tmp_path, port, 'when_down = "local"'))
        client = await PnsClient.dial(world.client_engine, world.port)
        assert (await ended(world, client))["reason"] == "auth_failed"
        request = server.asked[0]
        assert request.values.text("Calling-Station-Id") == "127.0.0.1"
        assert request.values.text("NAS-Identifier") == "holdfast"
        assert request.attributes[0].number == 80


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
@pytest.mark.parametrize(("given", "held"), [(1200, 1200), (1500, 1396)])
@pytest.mark.asyncio
async def test_a_smaller_mtu_of_a_server_holds_and_it_hears_who_dials(world, tmp_path, given, held):
    async with serving(lambda _: (Code.ACCESS_ACCEPT, [attribute("Framed-MTU", given)])) as (server, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.PAP,), ccp=OPEN)
        await client.up()
        (call,) = world.engine.calls.values()
        (subscriber,) = world.gateway.subscribers.values()
        assert call.link.mtu == held
        vendor = subscriber.connection.vendor
        assert vendor
        assert server.asked[0].values.text("Connect-Info") == f"PPTP {vendor}"


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ([], "without MS-CHAP2-Success"),
        ([attribute("MS-MPPE-Send-Key", b"\x80\x01" + bytes(5)), attribute("MS-MPPE-Recv-Key", b"")], "cannot be read"),
    ],
)
@pytest.mark.asyncio
async def test_a_yes_that_lacks_something_is_explained(world, tmp_path, attributes, said):
    async with serving(lambda _: (Code.ACCESS_ACCEPT, attributes)) as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port)
        assert (await ended(world, client))["reason"] == "auth_refused"
        assert said in world.named("RADIUS_FAILED")[0]["detail"]


@pytest.mark.parametrize("world", [PLAIN + '[log]\nlevel = "debug"\n'], indirect=True)
@pytest.mark.asyncio
async def test_what_was_asked_and_answered_can_be_traced(world, tmp_path):
    world.log.threshold = Severity.DEBUG
    answer = [attribute("Session-Timeout", 60), attribute("Reply-Message", "welcome")]
    async with serving(lambda _: (Code.ACCESS_ACCEPT, answer)) as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.CHAP_MD5,), ccp=OPEN)
        await client.up()
    asked, answered = world.named("RADIUS_PACKET")
    assert (asked["direction"], asked["code"], asked["server"]) == ("sent", "Access-Request", "")
    assert {'User-Name = "alice"', "CHAP-Password = ***"} <= set(asked["attributes"])
    assert (answered["code"], answered["server"]) == ("Access-Accept", f"127.0.0.1:{port}")
    assert list(answered["attributes"]) == ["Session-Timeout = 60", 'Reply-Message = "welcome"']
    assert (await world.api.status({}))["radius"][0]["server"] == f"127.0.0.1:{port}"


@pytest.mark.asyncio
async def test_a_wrong_shared_secret_is_named(world, tmp_path):
    async with serving(lambda _: (Code.ACCESS_ACCEPT, []), secret="other") as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port)
        await ended(world, client)
        assert Fault.WRONG_SECRET in world.named("RADIUS_FAILED")[0]["detail"]
        assert len(world.named("RADIUS_REFUSED")) == 1


@pytest.mark.asyncio
async def test_garbage_from_a_server_harms_nobody(tmp_path):
    loop = asyncio.get_running_loop()

    class Noise(asyncio.DatagramProtocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr) -> None:
            for _ in range(20):
                self.transport.sendto(data[:2] + secrets.token_bytes(secrets.randbelow(60)), addr)
            self.transport.sendto(b"", addr)

    transport, _ = await loop.create_datagram_endpoint(Noise, ("127.0.0.1", 0))
    address = transport.get_extra_info("sockname")
    servers = {address: ServerConfig("noise", Secret(b"x"))}
    client = RadiusClient(servers, ExchangeConfig(patience=0.3), secrets.token_bytes, lambda event: None)
    outcome = await client.ask(Request(Code.STATUS_SERVER, (Attribute(1, b"a"),)))
    assert outcome.fault in (Fault.MALFORMED, Fault.WRONG_SECRET)
    client.close()
    transport.close()


def test_secrets_come_from_a_file_that_nobody_else_can_read(tmp_path):
    path = tmp_path / "secrets"
    with pytest.raises(ConfigError, match="No such file"):
        read_secrets(path)
    path.write_text("192.0.2.1   a b\n\n# 192.0.2.2 no\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="other users"):
        read_secrets(path)
    path.chmod(0o600)
    assert {str(one): secret.reveal() for one, secret in read_secrets(path).items()} == {"192.0.2.1": b"a b"}
    path.write_text("192.0.2.1\tsecret\t\n")
    assert {str(one): secret.reveal() for one, secret in read_secrets(path).items()} == {"192.0.2.1": b"secret"}
    for line in ("host secret", "192.0.2.1", "192.0.2.1 "):
        path.write_text(line)
        with pytest.raises(ConfigError, match="not a line") as caught:
            read_secrets(path)
        assert "secret" not in caught.value.what.replace("a secret", "")
    assert read_secrets(None) == {}


def test_servers_in_their_order(tmp_path):
    path = tmp_path / "secrets"
    path.write_text("192.0.2.1 a\n192.0.2.2 b\n")
    path.chmod(0o600)
    text = f'[radius]\nservers = ["192.0.2.1", "192.0.2.2:1645"]\nsecrets_file = "{path}"\nunsigned = ["192.0.2.2"]\n'
    config = parse(text).config
    one, two = server_configs(config, config.radius.servers).values()
    assert (one.name, one.priority, one.require_message_authenticator) == ("192.0.2.1:1812", 1, True)
    assert (two.priority, two.require_message_authenticator) == (2, False)
    spread = parse(text + "spread = true\n").config
    assert {one.priority for one in server_configs(spread, spread.radius.servers).values()} == {1}
    assert [str(server) for server in accounting_servers(config)] == ["192.0.2.1:1813", "192.0.2.2:1813"]
    assert accounting_servers(parse(text + "accounting_servers = []\n").config) == ()
    missing = parse(text.replace("192.0.2.1", "192.0.2.3")).config
    with pytest.raises(ConfigError, match="no secret"):
        server_configs(missing, missing.radius.servers)


@pytest.mark.root
@pytest.mark.parametrize("world", [PLAIN], indirect=True)
@pytest.mark.parametrize(("mppe", "bits"), [("required", (128,)), ("required", (40,)), ("allowed", (40,))])
@pytest.mark.asyncio
async def test_a_server_that_requires_encryption_gets_it_or_nobody_gets_in(world, tmp_path, mppe, bits):
    place, ports = tmp_path / "radius", free_ports(2)
    freeradius.configure(place, ports)
    module = "use_mppe = yes\n        require_strong = yes\n"
    module += "        require_encryption = yes" if mppe == "required" else ""
    file = place / "radiusd.conf"
    file.write_text(file.read_text().replace("use_mppe = yes", module))
    server = freeradius.start(place)
    try:
        use(world, configuration(tmp_path, ports[0]))
        ccp = CcpConfig(policy=MppePolicy.PREFER, bits=bits)
        client = await PnsClient.dial(world.client_engine, world.port, ccp=ccp)
        if bits == (128,):
            await client.up()
            (call,) = world.engine.calls.values()
            assert (call.receive.bits, call.mppe_required) == (128, True)
        elif mppe == "required":
            assert (await ended(world, client))["reason"] == "encryption_mismatch"
        else:
            await client.up()
            (call,) = world.engine.calls.values()
            assert call.receive is None
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.root
@pytest.mark.parametrize("world", [PLAIN], indirect=True)
@pytest.mark.asyncio
async def test_a_password_that_fits_no_request_is_not_judged_by_others(world, tmp_path):
    """The local users are not asked while RADIUS decides, whatever a client says."""
    world.users.add("long", Secret(b"x" * 129))
    async with serving(lambda _: (Code.ACCESS_ACCEPT, [])) as (server, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(
            world.client_engine, world.port, "long", "x" * 129, methods=(Method.PAP,), ccp=OPEN
        )
        assert (await ended(world, client))["reason"] == "auth_failed"
        assert "128 octets" in world.named("AUTH_FAIL")[0]["detail"]
        assert server.asked == []


@pytest.mark.asyncio
async def test_encryption_that_is_required_and_impossible_is_explained(world, tmp_path):
    answer = (Code.ACCESS_ACCEPT, [attribute("MS-MPPE-Encryption-Policy", 2)])
    success = attribute("MS-CHAP2-Success", b"\x01S=" + b"0" * 40)
    async with serving(lambda _: (answer[0], [*answer[1], success])) as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port)
        assert (await ended(world, client))["reason"] == "auth_refused"
        assert "requires encryption and gives no keys" in world.named("RADIUS_FAILED")[0]["detail"]
