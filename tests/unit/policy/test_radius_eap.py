"""EAP as attributes and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.radius_eap import contradiction, eap_message, eap_proof, gives_keys, next_request
from holdfast.policy.radius_login import Place, judge, login_request
from holdfast.ppp.authentication_types import EapExchange
from holdfast.ppp.eap_types import EapType
from holdfast.ppp.packet import Packet
from holdfast.radius.attributes import Attribute, Attributes, attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Outcome
from holdfast.radius.hiding import hide_key
from holdfast.radius.packet import RadiusPacket, write_request
from holdfast.secret import Secret

SHARED, RANDOM = Secret(b"testing123"), bytes(range(16))
PLACE = Place("holdfast", "192.0.2.1", "192.0.2.9", "s1", "c1", 7)
RESPONSE = Packet(2, 3, b"\x0d" + bytes(5)).encode()
SUCCESS, FAILURE = Packet(3, 3).encode(), Packet(4, 3).encode()


def exchange(message: bytes = RESPONSE, **more: object) -> EapExchange:
    return EapExchange(b"alice", 3, Secret(message), **more)


def outcome(code: int, *attributes: Attribute) -> Outcome:
    return Outcome(1, "r", RadiusPacket(code, 1, bytes(16), attributes), SHARED, RANDOM)


def message(octets: bytes) -> list[Attribute]:
    return [attribute("EAP-Message", octets[at : at + 253]) for at in range(0, len(octets), 253)]


@given(st.binary(min_size=5, max_size=3004))
def test_any_response_is_split_and_joined_and_fits_a_packet(octets: bytes) -> None:
    request = login_request(exchange(octets, server="r", state=Secret(b"s" * 253), mtu=1200), PLACE)
    assert request.only == "r"
    values = Attributes(request.attributes)
    assert eap_message(values) == octets
    assert all(len(piece) == 253 for piece in values.every("EAP-Message")[:-1])
    assert (values.octets("State"), values.integer("Framed-MTU")) == (b"s" * 253, 1200)
    write_request(Code.ACCESS_REQUEST, 1, request.attributes, SHARED, RANDOM)


def test_the_first_response_has_no_state_and_no_identity_is_called_by_its_address() -> None:
    assert [one.name for one in eap_proof(exchange())] == ["Framed-MTU", "EAP-Message"]
    nobody = login_request(EapExchange(b"", 3, Secret(RESPONSE)), PLACE)
    assert Attributes(nobody.attributes).text("User-Name") == "192.0.2.9"


def test_the_next_request() -> None:
    question = Packet(1, 4, b"\x0d" + bytes(600)).encode()
    more = [attribute("State", b"S"), attribute("Session-Timeout", 60)]
    request = next_request(outcome(Code.ACCESS_CHALLENGE, *message(question), *more))
    assert (request.message.reveal(), request.server, request.state.reveal()) == (question, "r", b"S")
    assert request.patience == 60.0
    endless = outcome(Code.ACCESS_CHALLENGE, *message(question), attribute("Session-Timeout", 2**32 - 1))
    assert next_request(endless).patience == 300.0
    assert next_request(outcome(Code.ACCESS_CHALLENGE)) is None
    assert next_request(outcome(Code.ACCESS_CHALLENGE, *message(RESPONSE))) is None
    assert next_request(outcome(Code.ACCESS_ACCEPT, *message(question))) is None
    assert next_request(Outcome(1, "r")) is None


def keys(size: int) -> list[Attribute]:
    return [
        attribute("MS-MPPE-Send-Key", hide_key(Secret(bytes(range(size))), SHARED, RANDOM, b"\x80\x01")),
        attribute("MS-MPPE-Recv-Key", hide_key(Secret(bytes(range(100, 100 + size))), SHARED, RANDOM, b"\x80\x02")),
    ]


@pytest.mark.parametrize("size", [16, 32])
def test_keys_are_cut_to_what_mppe_takes(size: int) -> None:
    """RFC 3079 section 4.3: the first 16 octets; the server's send key is the gateway's."""
    judgement = judge(outcome(Code.ACCESS_ACCEPT, *message(SUCCESS), *keys(size)), exchange(eap_type=EapType.TLS))
    assert judgement.trouble == ""
    assert judgement.verdict.verbatim == SUCCESS
    assert judgement.verdict.mppe.send.reveal() == bytes(range(16))
    assert judgement.verdict.mppe.receive.reveal() == bytes(range(100, 116))
    assert judgement.verdict.mppe.direction_keys(40).send.reveal() == bytes(range(8))


def test_what_a_server_may_get_wrong() -> None:
    assert contradiction(SUCCESS, accepted=True) == contradiction(FAILURE, accepted=False) == ""
    assert contradiction(b"", accepted=False) == ""
    assert "Access-Accept without EAP-Success" in contradiction(b"", accepted=True)
    assert "Access-Accept without EAP-Success" in contradiction(FAILURE, accepted=True)
    assert "Access-Reject without EAP-Failure" in contradiction(SUCCESS, accepted=False)
    assert gives_keys(exchange(eap_type=EapType.PEAP))
    assert not gives_keys(exchange(eap_type=EapType.MD5_CHALLENGE))


def test_a_no_is_passed_on() -> None:
    said = [attribute("Reply-Message", "your certificate has expired")]
    judgement = judge(outcome(Code.ACCESS_REJECT, *message(FAILURE), *said), exchange())
    assert judgement.verdict.verbatim == FAILURE
    assert "your certificate has expired" in judgement.verdict.detail
    assert not judgement.trouble


@given(
    st.sampled_from([Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE]),
    st.lists(st.builds(Attribute, st.sampled_from([1, 18, 24, 27, 79]), st.binary(max_size=253)), max_size=20),
)
def test_nothing_that_a_server_sends_raises(code: int, attributes: list[Attribute]) -> None:
    answer = outcome(code, *attributes)
    if next_request(answer) is None:
        judge(answer, exchange())
