"""`probe` says what is wrong with a RADIUS server."""

import errno

import pytest

from holdfast.config import parse
from holdfast.gateway import radius_client
from holdfast.gateway.radius_probe import Credentials, Step, make_exchange, probe, probe_accounting, proves_itself
from holdfast.policy.radius_login import Judgement
from holdfast.ppp.authentication_types import Method, Verdict
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Fault
from holdfast.secret import Secret
from support import freeradius, freeradius_eap
from support.certificates import CLIENT_EXTENSIONS, SERVER_NAME, make_authority
from unit.gateway.test_radius import configuration, serving
from unit.gateway.test_radius_tls import private, table

METHODS = [Method.PAP, Method.CHAP_MD5, Method.MS_CHAP, Method.MS_CHAP_V2]
ALICE = Credentials("alice", Secret(b"secret"))


async def steps(config, credentials=ALICE) -> list[Step]:
    return [step async for step in probe(config, credentials)]


@pytest.mark.parametrize("method", METHODS)
def test_its_claims_are_those_of_a_client(method):
    made = make_exchange(Credentials("DOMAIN\\alice", Secret(b"secret"), method))
    assert verify(made, StoredSecret.from_password(Secret(b"secret"))).accepted
    assert not verify(made, StoredSecret.from_password(Secret(b"another"))).accepted


def test_a_proof_is_checked_as_a_client_does():
    made = make_exchange(ALICE)
    right = Judgement(verify(made, StoredSecret.from_password(ALICE.password)))
    assert proves_itself(made, ALICE, right)
    wrong = Judgement(Verdict.accept(None, Secret(b"S=" + b"0" * 40)))
    assert not proves_itself(made, ALICE, wrong)
    assert not proves_itself(made, ALICE, Judgement(Verdict.accept()))
    assert proves_itself(make_exchange(Credentials("alice", Secret(b"x"), Method.PAP)), ALICE, wrong)


@pytest.mark.root
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.asyncio
async def test_freeradius_is_well(tmp_path, method):
    with freeradius.running(tmp_path / "radius") as server:
        config = configuration(tmp_path, server.authentication)
        _, login = await steps(config, Credentials("alice", Secret(b"secret"), method))
        assert (login.good, login.said) == (True, "Access-Accept")
        assert "Session-Timeout = 14400" in login.answer
        assert not any("MS-MPPE-Send-Key = 0x" in line for line in login.answer)
        _, refused = await steps(config, Credentials("bob", Secret(b"secret"), method))
        assert "your subscription is over" in refused.said


@pytest.mark.root
@pytest.mark.asyncio
async def test_freeradius_that_does_not_sign(tmp_path):
    with freeradius.running(tmp_path / "radius", signed=False) as server:
        _, login = await steps(configuration(tmp_path, server.authentication))
        assert not login.good
        assert "Message-Authenticator" in login.said
        assert "post-auth" in login.fix


@pytest.mark.asyncio
async def test_silence(tmp_path):
    async with serving(lambda _: None) as (_, port):
        status, login, unsigned = await steps(configuration(tmp_path, port))
    assert status.good
    assert not login.good
    assert "firewall" in login.fix
    assert "no answer either" in unsigned.said


@pytest.mark.asyncio
async def test_nobody_there(tmp_path, unused_udp_port):
    status, login = await steps(configuration(tmp_path, unused_udp_port))
    assert not status.good
    assert "ss -lunp" in login.fix


@pytest.mark.asyncio
async def test_no_way_there(tmp_path, monkeypatch):
    def connect(*_):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(radius_client, "_connected", connect)
    status, login = await steps(configuration(tmp_path, 1812))
    assert (status.said, login.said) == (Fault.NO_WAY, Fault.NO_WAY)
    assert "ip route get" in login.fix


@pytest.mark.asyncio
async def test_it_asks_as_the_gateway_that_clients_dial(tmp_path):
    async with serving(lambda _: (Code.ACCESS_REJECT, [])) as (server, port):
        listen = '[gateway]\nlisten = ["192.0.2.1"]\n'
        await steps(configuration(tmp_path, port, listen))
        login = server.asked[-1].values
    assert str(login.address("NAS-IP-Address")) == login.text("Called-Station-Id") == "192.0.2.1"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((Code.ACCESS_ACCEPT, []), "without MS-CHAP2-Success"),
        ((Code.ACCESS_ACCEPT, [attribute("MS-CHAP2-Success", b"\x01S=" + b"0" * 40)]), "without MPPE keys"),
        ((Code.ACCESS_CHALLENGE, [attribute("State", b"1")]), "Access-Challenge"),
        ((Code.ACCESS_REJECT, [attribute("Reply-Message", "not you")]), "says no: not you"),
        (
            (Code.ACCESS_REJECT, [attribute("MS-CHAP-Error", b"\x01E=648 R=0 C=" + b"0" * 32 + b" V=3 M=expired")]),
            "expired",
        ),
    ],
)
@pytest.mark.asyncio
async def test_answers_that_are_no_login(tmp_path, answer, said):
    async with serving(lambda request: None if request.code == Code.STATUS_SERVER else answer) as (_, port):
        _, login = await steps(configuration(tmp_path, port))
        assert not login.good
        assert said in login.said
        assert login.fix


@pytest.mark.asyncio
async def test_a_wrong_secret(tmp_path):
    async with serving(lambda _: (Code.ACCESS_ACCEPT, []), secret="other") as (_, port):
        status, login = await steps(configuration(tmp_path, port))
        assert not status.good
        assert "secrets_file" in login.fix


# --- EAP and TLS -----------------------------------------------------------------------------------------------

EAP = Credentials("alice", Secret(b""), Method.EAP)


@pytest.mark.root
@pytest.mark.parametrize(("default", "name"), [("tls", "EAP-TLS"), ("peap", "PEAP"), ("mschapv2", "EAP-MSCHAPv2")])
@pytest.mark.asyncio
async def test_how_a_server_begins_eap(tmp_path, default, name):
    with freeradius_eap.running(tmp_path / "radius", freeradius_eap.Settings(default)) as server:
        _, login = await steps(configuration(tmp_path, server.authentication), EAP)
        assert login.good
        assert login.said.startswith(f"the server begins with {name}")


@pytest.mark.root
@pytest.mark.asyncio
async def test_a_server_without_eap(tmp_path):
    with freeradius.running(tmp_path / "radius") as server:
        _, login = await steps(configuration(tmp_path, server.authentication), EAP)
        assert not login.good
        assert "says no" in login.said


@pytest.mark.asyncio
async def test_a_challenge_that_is_no_eap(tmp_path):
    answer = (Code.ACCESS_CHALLENGE, [attribute("State", b"1")])
    async with serving(lambda request: None if request.code == Code.STATUS_SERVER else answer) as (_, port):
        _, login = await steps(configuration(tmp_path, port), EAP)
        assert "no EAP-Message" in login.said
        assert "eap module" in login.fix


@pytest.mark.root
@pytest.mark.asyncio
async def test_tls_is_tried_first(tmp_path):
    with freeradius_eap.running(tmp_path / "radius") as server:
        ca, own = server.authority.pair.certificate, private(server.client)
        tls, _, login = await steps(parse(table(server.radsec, ca, own)).config)
        assert (tls.what, tls.good, login.good) == ("TLS", True, True)
        assert SERVER_NAME in tls.said
        other = make_authority(tmp_path / "other")
        (tls,) = await steps(parse(table(server.radsec, other.pair.certificate, own)).config)
        assert "certificate is not accepted" in tls.said
        assert "openssl s_client" in tls.fix
        stranger = private(other.issue("stranger", CLIENT_EXTENSIONS))
        (tls,) = await steps(parse(table(server.radsec, ca, stranger)).config)
        assert not tls.good
        (tls,) = await steps(parse(table(server.radsec, ca, own, "another.example.net")).config)
        assert "Hostname mismatch" in tls.said


@pytest.mark.root
@pytest.mark.asyncio
async def test_accounting_servers_are_asked_for_a_sign_of_life(tmp_path, unused_udp_port):
    with freeradius.running(tmp_path / "radius") as server:
        there = f'accounting_servers = ["127.0.0.1:{server.accounting}"]\n'
        (step,) = [one async for one in probe_accounting(configuration(tmp_path, server.authentication, there))]
        assert (step.server, step.good) == (f"127.0.0.1:{server.accounting}", True)
        assert server.detail() == []
    gone = configuration(tmp_path, server.authentication, f'accounting_servers = ["127.0.0.1:{unused_udp_port}"]\n')
    (step,) = [one async for one in probe_accounting(gone)]
    assert (step.good, step.said) == (False, Fault.UNREACHABLE)
    assert [one async for one in probe_accounting(configuration(tmp_path, 1, "accounting_servers = []\n"))] == []


@pytest.mark.asyncio
async def test_what_cannot_hold_is_named_and_a_name_that_nobody_knows_fails(tmp_path):
    answer = [attribute("Framed-MTU", 64), attribute("Filter-Id", "guests")]
    pap = Credentials("alice", Secret(b"secret"), Method.PAP)
    async with serving(lambda _: (Code.ACCESS_ACCEPT, answer)) as (_, port):
        login = (await steps(configuration(tmp_path, port), pap))[-1]
        assert not login.good
        assert "[filters.guests]: the gateway lets nobody in with it" in login.said
        assert "Framed-MTU = 64: below the 576 octets" in login.ignored[0]
        named = configuration(tmp_path, port, '[filters.guests]\nrules = ["allow any"]\n')
        login = (await steps(named, pap))[-1]
        assert (login.good, len(login.ignored)) == (True, 1)
        ignoring = configuration(tmp_path, port, 'unknown_names = "ignore"\n')
        login = (await steps(ignoring, pap))[-1]
        assert (login.good, len(login.ignored)) == (True, 2)
