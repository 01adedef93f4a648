"""Interface-Identifiers (RFC 5072 section 4.1)."""

import pytest

from holdfast.ppp.codes import Code
from holdfast.ppp.options import Option
from support.ppp_protocol import ipv6cp

PEER = bytes.fromhex("0011223344556677")


def identifier(data: bytes) -> Option:
    return Option(1, data)


def test_a_random_identifier_is_asked_and_opens() -> None:
    talk = ipv6cp()
    ours = talk.sent[0].options()[0]
    assert ours.type == 1
    assert len(ours.data) == 8
    assert not ours.data[0] & 2, "the universal bit is clear"
    talk.open(identifier(PEER))
    assert (talk.protocol.rules.local, talk.protocol.rules.peer) == (ours.data, PEER)


@pytest.mark.parametrize("data", [bytes(8), b"", PEER[:7], PEER + b"x"])
def test_what_cannot_be_an_identifier_is_refused_with_one_that_can(data: bytes) -> None:
    packet = ipv6cp().say(1, 3, identifier(data))[0]
    assert packet.code == Code.CONFIGURE_NAK
    assert len(packet.options()[0].data) == 8
    assert any(packet.options()[0].data)


def test_our_own_identifier_is_refused() -> None:
    talk = ipv6cp()
    packet = talk.say(1, 3, talk.sent[0].options()[0])[0]
    assert packet.code == Code.CONFIGURE_NAK
    assert packet.options() != talk.sent[0].options()


def test_a_request_without_identifier_is_asked_for_one() -> None:
    assert ipv6cp().say(1, 3)[0].code == Code.CONFIGURE_NAK


def test_everything_else_is_rejected() -> None:
    packet = ipv6cp().say(1, 3, identifier(PEER), Option(2, b"\0\x61"), identifier(PEER))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_REJECT, [Option(2, b"\0\x61"), identifier(PEER)])


def test_a_suggestion_is_taken_when_it_can_be() -> None:
    talk = ipv6cp()
    assert talk.say(3, talk.sent[0].identifier, identifier(PEER))[0].options() == [identifier(PEER)]
    other = ipv6cp()
    again = other.say(3, other.sent[0].identifier, identifier(bytes(8)))[0].options()
    assert len(again[0].data) == 8
    assert any(again[0].data)


def test_a_reject_is_obeyed() -> None:
    talk = ipv6cp()
    assert talk.say(4, talk.sent[0].identifier, *talk.sent[0].options())[0].data == b""


def test_snapshot() -> None:
    talk, copy = ipv6cp().open(identifier(PEER)), ipv6cp(seed=6)
    copy.protocol.restore(talk.protocol.snapshot())
    assert copy.protocol.snapshot() == talk.protocol.snapshot()
