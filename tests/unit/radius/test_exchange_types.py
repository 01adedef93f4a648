"""Outcomes: what a reply is worth."""

from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Fault, Outcome
from holdfast.radius.hiding import hide_key, hide_password
from holdfast.radius.packet import RadiusPacket
from holdfast.secret import Secret

SHARED = Secret(b"testing123")
RANDOM = bytes(range(16))


def outcome(code: int, *attributes) -> Outcome:
    return Outcome(1, "a", RadiusPacket(code, 1, bytes(16), attributes), SHARED, RANDOM)


def test_keys_of_an_accept():
    key = Secret(bytes(range(16)))
    sent = attribute("MS-MPPE-Send-Key", hide_key(key, SHARED, RANDOM, b"\x80\x01"))
    both = attribute("MS-CHAP-MPPE-Keys", hide_password(Secret(bytes(32)), SHARED, RANDOM))
    accept = outcome(Code.ACCESS_ACCEPT, sent, both)
    assert accept.accepted
    assert accept.mppe_key("MS-MPPE-Send-Key") == key
    assert accept.mppe_key("MS-MPPE-Recv-Key") is None
    assert accept.ms_chap_keys() == (Secret(bytes(8)), Secret(bytes(16)))


def test_no_answer_is_no_yes():
    silent = Outcome(1, "a", fault=Fault.SILENT)
    assert not silent.accepted
    assert silent.mppe_key("MS-MPPE-Send-Key") is None
    assert silent.ms_chap_keys() is None
    assert not outcome(Code.ACCESS_REJECT).accepted
