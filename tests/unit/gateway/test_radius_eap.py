"""EAP through the gateway: a real FreeRADIUS on one side, EAP-TLS, PEAP and EAP-MSCHAPv2 on the other."""

from pathlib import Path

import pytest

from holdfast.config import parse
from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, AuthenticationSucceeded
from holdfast.ppp import authentication
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import CcpConfig, MppePolicy
from holdfast.ppp.eap_types import EapType
from holdfast.ppp.packet import Packet
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.session import SessionState
from support import freeradius_eap
from support.certificates import CLIENT_EXTENSIONS, make_authority
from support.eap_peer import MsChap, Peap, Tls, eap_peer
from support.pns_client import Crowd, PnsClient
from unit.gateway.test_radius import configuration, ended, serving, use

EAP = '[ppp]\nauthentication = ["eap"]\n[radius]\nservers = ["127.0.0.1"]\nsecrets_file = "/nowhere"\n'
pytestmark = pytest.mark.asyncio
with_eap = pytest.mark.parametrize("world", [EAP], indirect=True)


def way_of(name: str, server, directory):
    """Return what makes the client's side."""
    ca, keylog = server.authority.pair.certificate, directory / "keylog"
    if name == "EAP-TLS":
        return lambda user, password: Tls(ca, server.client, keylog)
    if name == "PEAP":
        return lambda user, password: Peap(ca, keylog, user, password)
    return MsChap


@with_eap
@pytest.mark.root
@pytest.mark.parametrize("name", ["EAP-TLS", "PEAP", "EAP-MSCHAPv2"])
async def test_freeradius_lets_a_client_in_by_eap(world, tmp_path, monkeypatch, name):
    with freeradius_eap.running(tmp_path / "radius") as server:
        use(world, configuration(tmp_path, server.authentication))
        monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(way_of(name, server, tmp_path)))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.EAP,))
        await client.up()
        (session,) = await world.api.sessions({})
        assert (session["user"], session["method"]) == ("alice", "eap")
        signed_in = world.named("AUTH_SUCCESS")[0]
        assert (signed_in["method"], signed_in["eap_type"]) == ("eap", name)
        call, mirror = (next(iter(engine.calls.values())) for engine in (world.engine, world.client_engine))
        assert len(call.receive.start_key) == 16
        assert call.receive.start_key == mirror.transmit.start_key
        assert call.transmit.start_key == mirror.receive.start_key
        assert not world.named("RADIUS_FAILED")
        assert "secret" not in str(world.records)


@with_eap
@pytest.mark.root
async def test_freeradius_keeps_out_who_has_another_certificate(world, tmp_path, monkeypatch):
    stranger = make_authority(tmp_path / "other").issue("mallory", CLIENT_EXTENSIONS)
    with freeradius_eap.running(tmp_path / "radius") as server:
        use(world, configuration(tmp_path, server.authentication))
        ca = server.authority.pair.certificate
        peer = eap_peer(lambda user, password: Tls(ca, stranger, tmp_path / "keylog"))
        monkeypatch.setitem(authentication._PEERS, Method.EAP, peer)
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.EAP,))
        end = await ended(world, client)
    assert end["reason"] == "auth_failed"
    assert "says no" in world.named("AUTH_FAIL")[0]["detail"]
    assert any(isinstance(event, AuthenticationFailed) for event in client.events), "no EAP-Failure came"


@with_eap
@pytest.mark.root
async def test_freeradius_keeps_out_who_guesses_inside_peap(world, tmp_path, monkeypatch):
    with freeradius_eap.running(tmp_path / "radius") as server:
        use(world, configuration(tmp_path, server.authentication))
        monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(way_of("PEAP", server, tmp_path)))
        client = await PnsClient.dial(world.client_engine, world.port, "alice", "guess", methods=(Method.EAP,))
        assert (await ended(world, client))["reason"] == "auth_failed"
    assert "guess" not in str(world.records)


@pytest.mark.root
@pytest.mark.parametrize("world", [EAP + "[limits]\nsessions_per_user = 1\n"], indirect=True)
async def test_a_limit_refuses_after_the_servers_yes(world, tmp_path, monkeypatch):
    """The client must not hear the EAP-Success that the server already gave."""
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(MsChap))
    with freeradius_eap.running(tmp_path / "radius", freeradius_eap.Settings("mschapv2")) as server:
        use(world, configuration(tmp_path, server.authentication))
        crowd = Crowd(world.client_engine, world.port)
        first = await crowd.dial(methods=(Method.EAP,))
        await crowd.until(lambda: first.session.state is SessionState.UP)
        second = await crowd.dial(methods=(Method.EAP,))
        await crowd.until(lambda: second.ended is not None)
        await crowd.close()
    assert second.ended.reason is DisconnectReason.AUTH_FAILED
    assert not any(isinstance(event, AuthenticationSucceeded) for event in second.events)
    assert world.named("LIMIT")[0]["limit"] == "sessions_per_user"


def packet(code: int, identifier: int, data: bytes = b"") -> object:
    """Return an EAP packet as an attribute."""
    return attribute("EAP-Message", Packet(code, identifier, data).encode())


class Server:
    """A server that asks some questions by a method of its own, and then says yes."""

    def __init__(self, name: bytes, rounds: int = 3, **challenge: object) -> None:
        self.name, self.rounds, self.challenge = name, rounds, challenge
        self.seen: list = []

    def __call__(self, request):
        self.seen.append(request)
        identifier = request.values.octets("EAP-Message")[1]
        state = request.values.octets("State")
        if state is not None and not state.startswith(self.name):
            return Code.ACCESS_REJECT, [packet(4, identifier)]
        number = 0 if state is None else int(state[len(self.name) :])
        if number == self.rounds:
            return Code.ACCESS_ACCEPT, [packet(3, identifier)]
        more = [attribute(key, value) for key, value in self.challenge.items()]
        state = attribute("State", self.name + str(number + 1).encode())
        return Code.ACCESS_CHALLENGE, [packet(1, identifier + 1 & 0xFF, b"\x04" + bytes(200)), state, *more]


class Echo:
    """A method that says back what it hears, at length: 600 octets need three attributes."""

    eap_type = EapType.MD5_CHALLENGE
    keys = None

    def __init__(self, user: str, password: bytes) -> None:
        pass

    def answer(self, data: bytes) -> bytes:
        return (data * 4)[:600]


CLEAR = EAP.replace("[radius]", 'mppe = "off"\n[radius]')
NO_MPPE = {"ccp": CcpConfig(policy=MppePolicy.OFF)}


@pytest.mark.parametrize("world", [CLEAR], indirect=True)
async def test_a_conversation_stays_with_the_server_that_began_it(world, tmp_path, monkeypatch):
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(Echo))
    one, other = Server(b"one"), Server(b"other")
    async with serving(one) as (_, first), serving(other) as (_, second):
        configuration(tmp_path, first)  # writes the secrets
        use(world, parse(spread(tmp_path, first, second)).config)
        crowd = Crowd(world.client_engine, world.port)
        clients = [await crowd.dial(methods=(Method.EAP,), **NO_MPPE) for _ in range(8)]
        await crowd.until(lambda: all(client.session.state is SessionState.UP for client in clients))
        await crowd.close()
    assert len(one.seen) + len(other.seen) == 8 * 4
    assert one.seen
    assert other.seen
    last = one.seen[-1]
    assert [len(piece) for piece in last.values.every("EAP-Message")] == [253, 253, 99]
    assert last.values.integer("Framed-MTU") == 1400
    assert last.attributes[0].number == 80


def spread(directory: Path, *ports: int) -> str:
    servers = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    return f'[radius]\nservers = [{servers}]\nsecrets_file = "{directory / "secrets"}"\nspread = true\n'


@with_eap
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((Code.ACCESS_CHALLENGE, []), "an Access-Challenge with no EAP-Message"),
        ((Code.ACCESS_CHALLENGE, [attribute("EAP-Message", b"\1\2\0\7\4")]), "5 octets that are no EAP-Request"),
        ((Code.ACCESS_REJECT, [attribute("EAP-Message", b"\3\1\0\4")]), "an Access-Reject without EAP-Failure"),
    ],
)
async def test_a_server_that_makes_no_sense_is_explained(world, tmp_path, monkeypatch, answer, said):
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(Echo))
    async with serving(lambda _: answer) as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.EAP,))
        assert (await ended(world, client))["reason"] in ("auth_refused", "auth_failed")
    assert said in world.named("RADIUS_FAILED")[0]["detail"]


@pytest.mark.parametrize("world", [CLEAR], indirect=True)
async def test_a_yes_without_a_success_for_the_client_is_a_yes(world, tmp_path, monkeypatch):
    """RFC 3579 section 2.6.3: the packet type decides, and no EAP packet is made up."""
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(Echo))
    async with serving(lambda _: (Code.ACCESS_ACCEPT, [])) as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.EAP,), **NO_MPPE)
        await client.wait(lambda: world.named("AUTH_SUCCESS"))
    assert world.named("AUTH_SUCCESS")[0]["eap_type"] == ""
    assert "without EAP-Success" in world.named("RADIUS_FAILED")[0]["detail"]


@with_eap
async def test_a_yes_without_keys_is_explained(world, tmp_path, monkeypatch):
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(MsChap))
    answers = [
        (Code.ACCESS_CHALLENGE, [packet(1, 2, b"\x1a\1\1\0\x1b\x10" + bytes(16) + b"server")]),
        (Code.ACCESS_ACCEPT, [packet(3, 2)]),
    ]
    async with serving(lambda _: answers.pop(0)) as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.EAP,))
        assert (await ended(world, client))["reason"] == "encryption_mismatch"
    assert "without MPPE keys" in world.named("RADIUS_FAILED")[0]["detail"]


@with_eap
async def test_without_a_server_that_answers_eap_is_refused_even_where_local_users_are_asked(
    world, tmp_path, monkeypatch, unused_udp_port
):
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(Echo))
    use(world, configuration(tmp_path, unused_udp_port, 'when_down = "local"'))
    client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.EAP,))
    assert (await ended(world, client))["reason"] == "auth_unavailable"
