"""Claims as questions to RADIUS, and its answers as verdicts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import DisconnectReason
from holdfast.policy.radius_login import Grant, Place, judge, login_request
from holdfast.ppp.authentication_types import (
    ChapMd5Exchange,
    Exchange,
    Method,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
)
from holdfast.radius.attributes import Attribute, Attributes, attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Fault, Outcome
from holdfast.radius.hiding import hide_key, hide_password
from holdfast.radius.packet import RadiusPacket
from holdfast.secret import Secret

SHARED, RANDOM = Secret(b"testing123"), bytes(range(16))
PLACE = Place("holdfast", "192.0.2.1", "192.0.2.9", "s1", "c1", 7)
KEY = Secret(bytes(range(16)))
PAP = PapExchange(b"alice", 5, Secret(b"secret"))
CHAP = ChapMd5Exchange(b"alice", 5, Secret(b"c" * 16), Secret(b"r" * 16))
V1 = MsChapExchange(b"alice", 5, Secret(b"c" * 8), Secret(b"l" * 24), Secret(b"n" * 24))
V2 = MsChapV2Exchange(b"alice", 5, Secret(b"a" * 16), Secret(b"p" * 16), Secret(b"n" * 24))
KEYS = (
    attribute("MS-MPPE-Send-Key", hide_key(KEY, SHARED, RANDOM, b"\x80\x01")),
    attribute("MS-MPPE-Recv-Key", hide_key(Secret(bytes(16)), SHARED, RANDOM, b"\x80\x02")),
)
SUCCESS = attribute("MS-CHAP2-Success", b"\x05S=" + b"A" * 40 + b" M=welcome")


def outcome(code: int, *attributes: Attribute) -> Outcome:
    return Outcome(1, "r", RadiusPacket(code, 1, bytes(16), attributes), SHARED, RANDOM)


def asked(exchange: Exchange) -> Attributes:
    request = login_request(exchange, PLACE)
    assert request is not None
    return Attributes(request.attributes)


def test_each_method_says_its_proof():
    request = login_request(PAP, PLACE)
    assert request is not None
    assert request.password == Secret(b"secret")
    assert asked(CHAP).octets("CHAP-Password") == b"\x05" + b"r" * 16
    assert asked(CHAP).octets("CHAP-Challenge") == b"c" * 16
    assert asked(V1).octets("MS-CHAP-Response") == b"\x05\x01" + b"l" * 24 + b"n" * 24
    assert asked(V1).octets("MS-CHAP-Challenge") == b"c" * 8
    assert asked(V2).octets("MS-CHAP2-Response") == b"\x05\x00" + b"p" * 16 + bytes(8) + b"n" * 24
    assert asked(V2).octets("MS-CHAP-Challenge") == b"a" * 16
    assert login_request(PapExchange(b"alice", 5, Secret(bytes(129))), PLACE) is None


def test_every_request_says_where_it_comes_from():
    said = asked(V2)
    assert said.text("User-Name") == "alice"
    numbers = {"NAS-Port": 7, "NAS-Port-Type": 5, "Service-Type": 2, "Framed-Protocol": 1, "Tunnel-Type": 1}
    assert {name: said.integer(name) for name in numbers} == numbers
    texts = {
        "NAS-Identifier": "holdfast",
        "Calling-Station-Id": "192.0.2.9",
        "Called-Station-Id": "192.0.2.1",
        "Tunnel-Client-Endpoint": "192.0.2.9",
        "Acct-Session-Id": "s1",
        "Acct-Multi-Session-Id": "c1",
        "Connect-Info": "PPTP",
    }
    assert {name: said.text(name) for name in texts} == texts
    assert str(said.address("NAS-IP-Address")) == "192.0.2.1"


def test_every_request_says_what_the_client_is():
    said = Attributes(replace(PLACE, vendor="Microsoft Windows NT").attributes())
    assert said.text("Connect-Info") == "PPTP Microsoft Windows NT"


def test_yes_to_ms_chap_v2_is_passed_on_word_for_word():
    judged = judge(outcome(Code.ACCESS_ACCEPT, SUCCESS, *KEYS), V2)
    assert judged.verdict.accepted
    assert not judged.trouble
    assert judged.verdict.authenticator_response == Secret(b"S=" + b"A" * 40 + b" M=welcome")
    assert (judged.verdict.mppe.send, judged.verdict.mppe.receive) == (KEY, Secret(bytes(16)))
    assert judged.verdict.user == "alice"


def test_keys_of_version_1_come_from_the_hash_of_the_hash():
    plain = Secret(b"L" * 8 + b"N" * 16 + bytes(8))
    judged = judge(
        outcome(Code.ACCESS_ACCEPT, attribute("MS-CHAP-MPPE-Keys", hide_password(plain, SHARED, RANDOM))), V1
    )
    assert judged.verdict.mppe.short == Secret(b"L" * 8)
    assert len(judged.verdict.mppe.send) == 16


def test_a_hash_of_zeros_is_no_key():
    plain = Secret(bytes(8) + b"N" * 16 + bytes(8))
    judged = judge(
        outcome(Code.ACCESS_ACCEPT, attribute("MS-CHAP-MPPE-Keys", hide_password(plain, SHARED, RANDOM))), V1
    )
    assert judged.verdict.mppe.strengths == (128,)


@pytest.mark.parametrize(
    ("attributes", "exchange", "accepted", "said"),
    [
        ((), V2, False, "without MS-CHAP2-Success"),
        ((attribute("MS-CHAP2-Success", b"\x05short"),), V2, False, "without MS-CHAP2-Success"),
        ((SUCCESS,), V2, True, "without MPPE keys"),
        ((SUCCESS, KEYS[0]), V2, True, "without MPPE keys"),
        ((SUCCESS, attribute("MS-MPPE-Send-Key", b"\x80\x01short")), V2, False, "cannot be read"),
        ((), V1, True, "without MPPE keys"),
        ((), PAP, True, ""),
    ],
)
def test_a_yes_that_lacks_something(attributes, exchange, accepted, said):
    judged = judge(outcome(Code.ACCESS_ACCEPT, *attributes), exchange)
    assert judged.verdict.accepted == accepted
    assert said in judged.trouble
    assert bool(said) == bool(judged.trouble)


@pytest.mark.parametrize(("service", "accepted"), [(2, True), (1, False), (6, False)])
def test_a_service_that_is_not_ours_is_a_no(service, accepted):
    judged = judge(outcome(Code.ACCESS_ACCEPT, attribute("Service-Type", service)), PAP)
    assert judged.verdict.accepted is accepted
    assert ("Service-Type" in judged.trouble) is not accepted


def test_no_is_passed_on_word_for_word():
    text = b"E=648 R=0 C=00112233445566778899aabbccddeeff V=3 M=password expired"
    judged = judge(outcome(Code.ACCESS_REJECT, attribute("MS-CHAP-Error", b"\x05" + text)), V2)
    assert judged.verdict.verbatim == text
    assert (judged.verdict.result_code, judged.verdict.reason) == (648, DisconnectReason.AUTH_REFUSED)
    plain = judge(outcome(Code.ACCESS_REJECT, attribute("Reply-Message", "no credit")), PAP)
    assert (plain.verdict.message, plain.verdict.reason) == ("no credit", DisconnectReason.AUTH_FAILED)
    assert plain.verdict.detail == "RADIUS server r says no: no credit"
    assert not plain.trouble


@pytest.mark.parametrize("fault", Fault)
def test_no_answer_is_no_failed_login(fault):
    judged = judge(Outcome(1, "r", fault=fault), V2)
    assert judged.verdict.reason is DisconnectReason.AUTH_UNAVAILABLE
    assert judged.verdict.undecided
    assert judged.trouble == fault


def test_settings_and_addresses():
    accept = outcome(
        Code.ACCESS_ACCEPT,
        attribute("Session-Timeout", 14400),
        attribute("Acct-Interim-Interval", 5),
        attribute("Mikrotik-Total-Limit", 7),
        attribute("Mikrotik-Total-Limit-Gigawords", 2),
        attribute("Framed-IP-Address", b"\x0a\x00\x00\x07"),
        attribute("MS-Primary-DNS-Server", b"\x0a\x00\x00\x01"),
        attribute("Class", b"a"),
        attribute("Class", b"b"),
        attribute("User-Name", "Alice@example"),
        Attribute(200, b"x"),
    )
    judged = judge(accept, PAP)
    assert judged.layer.values == {
        "session_timeout": 14400,
        "accounting_interval": 60,
        "volume_limit": (2 << 32) + 7,
        "address": ("10.0.0.7",),
        "dns": ("10.0.0.1",),
    }
    assert judged.layer.origins["session_timeout"] == "RADIUS r: Session-Timeout"
    assert judged.verdict.user == "Alice@example"
    assert judged.grant == Grant("r", "Alice@example", class_=(b"a", b"b"), unknown=("200",))


@given(
    st.sampled_from([PAP, CHAP, V1, V2]),
    st.sampled_from([2, 3, 11, 5]),
    st.lists(st.builds(Attribute, st.integers(1, 120), st.binary(max_size=60), st.sampled_from([0, 311, 14988]))),
)
def test_no_answer_is_too_strange(exchange, code, attributes):
    judged = judge(outcome(code, *attributes), exchange)
    assert judged.verdict.accepted <= (code == Code.ACCESS_ACCEPT)
    assert exchange.method in Method
