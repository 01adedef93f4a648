"""What people have to do with: messages, passwords that expired, second factors that take their time."""

import asyncio
from pathlib import Path

import pytest

from holdfast.config import Config, parse
from holdfast.events import AuthenticationFailed
from holdfast.ppp import authentication
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import CcpConfig, MppePolicy
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.packet import write_reply
from holdfast.session import SessionState
from support import freeradius
from support.eap_peer import eap_peer
from support.pns_client import Crowd, PnsClient
from unit.gateway.test_radius import configuration, ended, serving, use
from unit.gateway.test_radius_eap import CLEAR as CLEAR_EAP
from unit.gateway.test_radius_eap import Echo, packet

CLEAR = '[ppp]\nauthentication = ["pap"]\nmppe = "off"\n'
NO_MPPE = {"ccp": CcpConfig(policy=MppePolicy.OFF)}
THOUGHT = 3.0
"""Seconds that a person takes: longer than the 1.4 s in which a server is asked three times here."""
pytestmark = pytest.mark.asyncio


class Phone:
    """A server that lets everybody in at once but alice, who must confirm on a telephone."""

    def __init__(self, *, eap: bool = False) -> None:
        self.eap, self.confirmations = eap, 0
        self.server = None
        self.last: dict[bytes, bytes] = {}

    def __call__(self, request):
        if request.code == Code.STATUS_SERVER:
            return Code.ACCESS_ACCEPT, []
        more = [packet(3, request.values.octets("EAP-Message")[1])] if self.eap else []
        if request.values.text("User-Name") != "alice":
            return Code.ACCESS_ACCEPT, more
        if request.authenticator not in self.last:
            self.last[request.authenticator] = b""
            self.confirmations += 1
            asyncio.get_running_loop().call_later(THOUGHT, self.confirmed, request, more)
        return None

    def confirmed(self, request, more) -> None:
        """She did."""
        reply = write_reply(Code.ACCESS_ACCEPT, request, more, self.server.secret)
        self.server.transport.sendto(reply, self.server.client)


@pytest.mark.parametrize(("world", "method"), [(CLEAR, Method.PAP), (CLEAR_EAP, Method.EAP)], indirect=["world"])
async def test_a_second_factor_takes_its_time_and_holds_up_nobody(world, tmp_path, monkeypatch, method):
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(Echo))
    phone = Phone(eap=method is Method.EAP)
    async with serving(phone) as (server, port), serving(lambda _: (Code.ACCESS_REJECT, [])) as (other, second):
        phone.server = server
        use(world, patient(tmp_path, port, second))
        crowd = Crowd(world.client_engine, world.port)
        alice = await crowd.dial("alice", methods=(method,), **NO_MPPE)
        await crowd.until(lambda: phone.confirmations)
        for name in ("bob", "carol", "dave"):
            one = await crowd.dial(name, methods=(method,), **NO_MPPE)
            await crowd.until(lambda one=one: one.session.state is SessionState.UP)
            assert alice.session.state is SessionState.SETUP
        await crowd.until(lambda: alice.session.state is SessionState.UP, 30)
        await crowd.close()
    assert phone.confirmations == 1, "she was asked again"
    assert not other.asked, "the next server was asked, which would have rung again"
    assert not world.named("RADIUS_DOWN")


def patient(directory: Path, *ports: int) -> Config:
    """Return a configuration of servers that are given half a minute."""
    secrets = configuration(directory, ports[0]).radius.secrets_file
    servers = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    text = f'[radius]\nservers = [{servers}]\nsecrets_file = "{secrets}"\ntimeout = 0.2\npatience = 30.0\n'
    return parse(text).config


async def test_an_expired_password_is_told_word_for_word(world, tmp_path):
    text = b"\x01E=648 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Your password has expired"
    async with serving(lambda _: (Code.ACCESS_REJECT, [attribute("MS-CHAP-Error", text)])) as (_, port):
        use(world, configuration(tmp_path, port))
        client = await PnsClient.dial(world.client_engine, world.port)
        await ended(world, client)
    failed = next(event for event in client.events if isinstance(event, AuthenticationFailed))
    assert (failed.result_code, failed.detail) == (648, "E=648: Your password has expired")
    ours = world.named("AUTH_FAIL")[0]
    assert (ours["result_code"], "Your password has expired" in ours["detail"]) == (648, True)


@pytest.mark.root
@pytest.mark.parametrize("world", [CLEAR], indirect=True)
async def test_a_reply_message_is_shown_and_logged(world, tmp_path):
    with freeradius.running(tmp_path / "radius") as server:
        use(world, configuration(tmp_path, server.authentication))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.PAP,), **NO_MPPE)
        await client.up()
        assert client.session._link._authentication.outcome.detail == "hello"
        assert world.named("AUTH_SUCCESS")[0]["told"] == "hello"
        other = await PnsClient.dial(world.client_engine, world.port, "bob", methods=(Method.PAP,), **NO_MPPE)
        await ended(world, other)
    failed = next(event for event in other.events if isinstance(event, AuthenticationFailed))
    assert failed.detail == "your subscription is over"
    assert "your subscription is over" in world.named("AUTH_FAIL")[0]["detail"]
