"""Clients that sign in while no RADIUS server answers: nobody hears that a password is wrong, and all may come back."""

import pytest

from holdfast.control.codes import DisconnectResult, GeneralError, OutgoingCallResult
from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.outcome import TunnelDownError
from holdfast.dialer.reconnect import Phase, Reconnect, ReconnectPolicy
from holdfast.dialer.settings import LinkSettings, TunnelSettings
from holdfast.dialer.tunnel import Tunnel
from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, CallCleared, CallRefused
from holdfast.ppp import authentication
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppePolicy
from holdfast.radius.codes import Code
from holdfast.secret import Secret
from support.eap_peer import eap_peer
from support.pns_client import PnsClient
from unit.gateway.test_radius import OPEN, PLAIN, charged, configuration, ended, serving, use
from unit.gateway.test_radius_eap import Echo

pytestmark = pytest.mark.asyncio
TEXT = "Authentication server unavailable, try again later"
EVERY = [Method.PAP, Method.CHAP_MD5, Method.MS_CHAP, Method.MS_CHAP_V2, Method.EAP]
WITH_EAP = PLAIN.replace('"pap"]', '"pap", "eap"]') + '[radius]\nservers = ["127.0.0.1"]\nsecrets_file = "/nowhere"\n'


@pytest.mark.parametrize("world", [WITH_EAP], indirect=True)
@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("method", EVERY)
async def test_nobody_is_told_that_a_password_is_wrong(world, tmp_path, monkeypatch, unused_udp_port, method, silent):
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(Echo))
    async with serving(lambda _: None) as (_, port):
        use(world, configuration(tmp_path, port if silent else unused_udp_port))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(method,), ccp=OPEN)
        end = await ended(world, client)
        await client.wait(lambda: any(isinstance(event, CallCleared) for event in client.events), 30)
    assert (end["reason"], end["user"]) == ("auth_unavailable", "")
    assert world.named("RADIUS_FAILED")
    assert not world.named("AUTH_FAIL")
    assert len(world.gateway.logins.lockout) == 0
    assert not any(isinstance(event, AuthenticationFailed) for event in client.events)
    assert client.ended.reason is DisconnectReason.AUTH_UNAVAILABLE
    assert TEXT in client.ended.evidence
    assert world.nothing_left()


async def test_the_call_is_cleared_as_a_temporary_failure(world, tmp_path, unused_udp_port):
    use(world, configuration(tmp_path, unused_udp_port))
    client = await PnsClient.dial(world.client_engine, world.port)
    await ended(world, client)
    await client.wait(lambda: any(isinstance(event, CallCleared) for event in client.events), 30)
    (cleared,) = [event for event in client.events if isinstance(event, CallCleared)]
    codes = (cleared.result_code, cleared.error_code)
    assert codes == (DisconnectResult.GENERAL_ERROR, GeneralError.NO_RESOURCE)


@pytest.mark.parametrize(("user", "password", "failures"), [("nobody", "guess", 0), ("alice", "guess", 1)])
async def test_a_stand_ins_no_is_not_the_servers(world, tmp_path, unused_udp_port, user, password, failures):
    """A local user's wrong password counts as a guess, but from outside nobody tells it from an unknown name."""
    use(world, configuration(tmp_path, unused_udp_port, 'when_down = "local"'))
    client = await PnsClient.dial(world.client_engine, world.port, user, password)
    assert (await ended(world, client))["reason"] == "auth_unavailable"
    assert charged(world, user) == failures
    assert client.ended is None or client.ended.reason is DisconnectReason.AUTH_UNAVAILABLE
    assert not any(isinstance(event, AuthenticationFailed) for event in client.events)


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
async def test_our_dialer_goes_on_through_an_outage(world, tmp_path):
    """It waits and tries again, and is in when the server is back."""
    answers = [None]
    async with serving(lambda _: answers[0]) as (_, port):
        use(world, configuration(tmp_path, port, 'when_down = "reject"'))
        reconnect = Reconnect(ReconnectPolicy(), bytes)
        reconnect.start(0.0)
        link = LinkSettings(authentication=(Method.PAP,), mppe=MppePolicy.OFF)
        settings = TunnelSettings("127.0.0.1", "alice", port=world.port, link=link)
        for _ in range(3):
            engine_port = EnginePort(world.client_engine)
            try:
                with pytest.raises(TunnelDownError) as caught:
                    await Tunnel(settings, Secret(b"secret"), engine_port).connect("127.0.0.1")
            finally:
                engine_port.close()
            down = caught.value.down
            assert down.reason is DisconnectReason.AUTH_UNAVAILABLE
            reconnect.ended(down.reason, down.evidence, 1.0, server_answers=down.server_answers)
            assert reconnect.phase is Phase.WAITING
            reconnect.handle_timer(reconnect.deadline)
        answers[0] = (Code.ACCESS_ACCEPT, [])
        engine_port = EnginePort(world.client_engine)
        tunnel = Tunnel(settings, Secret(b"secret"), engine_port)
        assert (await tunnel.connect("127.0.0.1")).local
        await tunnel.close(DisconnectReason.USER_REQUEST, "enough")
        engine_port.close()


async def test_calls_may_be_turned_away_while_no_server_answers(world, crowd, tmp_path, monkeypatch):
    """All but one in a while, which finds out that a server is back."""
    answers = [None]
    async with serving(lambda _: answers[0]) as (_, port):
        use(world, configuration(tmp_path, port, 'when_down = "turn_away"\ntries = 1'))
        await crowd.refused()
        await crowd.until(lambda: world.named("TEARDOWN"), 30)
        monkeypatch.setattr(world.gateway.logins.remote, "_next_scout", world.gateway.now() + 1000)
        refused = await crowd.refused()
        (answer,) = [event for event in refused.events if isinstance(event, CallRefused)]
        assert (answer.result_code, answer.error_code) == (OutgoingCallResult.GENERAL_ERROR, GeneralError.NO_RESOURCE)
        assert world.named("LIMIT")[0]["limit"] == "radius_down"
        assert len(world.named("TEARDOWN")) == 1
        answers[0] = (Code.ACCESS_REJECT, [])
        monkeypatch.setattr(world.gateway.logins.remote, "_next_scout", 0.0)
        await crowd.refused()
        await crowd.until(lambda: len(world.named("TEARDOWN")) == 2, 30)
        assert world.named("TEARDOWN")[1]["reason"] == "auth_failed"
        assert world.named("RADIUS_UP")
        assert not world.gateway.logins.remote.turns_away()


@pytest.mark.parametrize("world", [PLAIN + '[limits]\nsingle_session = "deny"\n'], indirect=True)
async def test_a_name_has_its_one_session_however_its_accents_are_composed(world, crowd, tmp_path):
    async with serving(lambda _: (Code.ACCESS_ACCEPT, [])) as (_, port):
        use(world, configuration(tmp_path, port))
        options = {"methods": (Method.PAP,), "ccp": OPEN}
        first = await crowd.dial("jos\u00e9", "secret", **options)
        await crowd.until(lambda: first.session.state == "up", 30)
        await crowd.dial("jose\u0301", "secret", **options)
        assert (await world.said("TEARDOWN", 30))["reason"] == "limit_reached"
