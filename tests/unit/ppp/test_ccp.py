"""MPPE agreed in CCP, compression refused (RFC 3078 section 2, RFC 1962)."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.ppp.ccp import MAX_RESET_REQUESTS, MppeRules, MppeTerms
from holdfast.ppp.codes import Code
from holdfast.ppp.config import CcpConfig, MppeMode
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet
from support.ppp_protocol import Talk, ccp

H, M, S, L, D, C = 1 << 24, 0x80, 0x40, 0x20, 0x10, 0x01
STATELESS, STATEFUL = MppeMode.STATELESS, MppeMode.STATEFUL
BOTH = (STATELESS, STATEFUL)


def mppe(bits: int) -> Option:
    return Option(18, bits.to_bytes(4))


def asked(talk: Talk) -> int:
    return int.from_bytes(talk.sent[-1].options()[0].data)


@pytest.mark.parametrize(
    ("bits", "modes", "value"),
    [
        ((128,), (STATELESS,), H | S),
        ((40, 128), (STATELESS,), H | S | L),
        ((56,), (STATEFUL,), M),
        ((40, 56, 128), (STATEFUL, STATELESS), S | M | L),
    ],
)
def test_what_is_asked(bits: tuple[int, ...], modes: tuple[MppeMode, ...], value: int) -> None:
    assert asked(ccp(bits=bits, modes=modes)) == value


@pytest.mark.parametrize(
    ("offered", "bits", "modes", "code", "value"),
    [
        (H | S, (128,), (STATELESS,), Code.CONFIGURE_ACK, H | S),
        (H | M | S | L | C, (128,), (STATELESS,), Code.CONFIGURE_NAK, H | S),
        (H | M | S | L | C, (40, 56), (STATELESS,), Code.CONFIGURE_NAK, H | M),
        (S, (128,), (STATELESS,), Code.CONFIGURE_NAK, H | S),
        (S, (128,), BOTH, Code.CONFIGURE_ACK, S),
        (H | S, (128,), (STATEFUL,), Code.CONFIGURE_NAK, S),
        (H | L, (128,), (STATELESS,), Code.CONFIGURE_NAK, H | S),
        (H | C, (128,), (STATELESS,), Code.CONFIGURE_NAK, H | S),
        (H | S | D, (128,), (STATELESS,), Code.CONFIGURE_NAK, H | S),
        (H | S | 0x0800, (128,), (STATELESS,), Code.CONFIGURE_NAK, H | S),
        (0, (128, 40), (STATELESS,), Code.CONFIGURE_NAK, H | S),
    ],
)
def test_what_is_granted(
    offered: int, bits: tuple[int, ...], modes: tuple[MppeMode, ...], code: Code, value: int
) -> None:
    packet = ccp(bits=bits, modes=modes).say(1, 9, mppe(offered))[0]
    assert (packet.code, packet.options()) == (code, [mppe(value)])


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\0\0\x40\0"])
def test_a_field_of_another_size_is_refused_with_a_right_one(data: bytes) -> None:
    packet = ccp().say(1, 9, Option(18, data))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_NAK, [mppe(H | S)])


def test_compression_is_rejected_all_at_once() -> None:
    deflate, bsd = Option(26, b"\x78\x00"), Option(21, b"\x2f")
    packet = ccp().say(1, 9, deflate, mppe(H | S), bsd, mppe(H | S))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_REJECT, [deflate, bsd, mppe(H | S)])


def test_a_request_without_mppe_is_asked_for_it() -> None:
    packet = ccp().say(1, 9)[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_NAK, [mppe(H | S)])


@pytest.mark.parametrize(
    ("bits", "modes", "suggested", "value"),
    [
        ((40, 128), (STATELESS,), H | L, H | L),
        ((40, 128), (STATELESS,), H | S | L, H | S),
        ((128,), BOTH, S, S),
        ((128,), (STATELESS,), S, H | S),
        ((128,), (STATELESS,), H | M | S | L | C, H | S),
    ],
)
def test_a_suggestion_is_followed_as_far_as_allowed(
    bits: tuple[int, ...], modes: tuple[MppeMode, ...], suggested: int, value: int
) -> None:
    talk = ccp(bits=bits, modes=modes)
    talk.sent = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, mppe(suggested))
    assert asked(talk) == value


@pytest.mark.parametrize("suggested", [H | L, C, 0])
def test_a_suggestion_without_anything_allowed_is_a_mismatch(suggested: int) -> None:
    talk = ccp()
    assert talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, mppe(suggested)) == []
    assert talk.layer.take()[0][1].reason is DisconnectReason.ENCRYPTION_MISMATCH


def test_a_reject_is_a_mismatch() -> None:
    talk = ccp()
    assert talk.say(Code.CONFIGURE_REJECT, talk.sent[0].identifier, mppe(H | S)) == []
    what, failure = talk.layer.take()[0]
    assert (what, failure.reason) == ("failed", DisconnectReason.ENCRYPTION_MISMATCH)
    assert "+S" in failure.detail


def test_an_ack_of_several_strengths_is_a_mismatch() -> None:
    talk = ccp(bits=(40, 128))
    talk.agree()
    assert talk.layer.take()[0][1].reason is DisconnectReason.ENCRYPTION_MISMATCH


def test_each_direction_has_its_terms() -> None:
    talk = ccp(bits=(128, 40), modes=BOTH)
    talk.sent = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, mppe(L))
    assert talk.protocol.options.agreed is None
    talk.open(mppe(L))
    assert talk.protocol.options.agreed == (MppeTerms(40, STATEFUL), MppeTerms(40, STATEFUL))


def test_what_the_peer_granted_binds_what_we_grant() -> None:
    talk = ccp(bits=(128, 40), modes=BOTH)
    talk.sent = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, mppe(H | L))
    talk.agree()
    packet = talk.say(1, 9, mppe(H | S))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_NAK, [mppe(H | L)])


def test_what_we_granted_is_asked_from_then_on() -> None:
    talk = ccp(bits=(128, 40), modes=BOTH)
    assert talk.say(1, 9, mppe(S))[0].code == Code.CONFIGURE_ACK
    answer = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, mppe(H | S | L))
    assert answer[0].options() == [mppe(H | S)], "the peer's newest wish counts"


def test_only_keyed_strengths_are_negotiated() -> None:
    rules = MppeRules(CcpConfig(bits=(40, 56, 128)))
    rules.strengths = (56, 40)
    rules.reset()
    assert rules.request() == [mppe(H | M | L)]


def test_a_reset_request_is_told_and_acknowledged() -> None:
    talk = ccp().open(mppe(H | S))
    assert talk.say(Code.RESET_REQUEST, 77) == [Packet(Code.RESET_ACK, 77)]
    assert talk.layer.take() == [("reset", None)]
    assert talk.say(Code.RESET_ACK, 77) == []


def test_resets_before_opened_are_discarded() -> None:
    talk = ccp()
    assert talk.say(Code.RESET_REQUEST, 77) == []
    assert not talk.protocol.send_reset_request(0.0)
    assert talk.layer.take() == []


def test_a_reset_request_is_repeated_until_it_is_acknowledged() -> None:
    talk = ccp(reset_interval=0.2).open(mppe(H | S))
    assert talk.protocol.send_reset_request(0.0)
    assert not talk.protocol.send_reset_request(0.1), "one is under way"
    first = talk.take()
    assert [(packet.code, packet.data) for packet in first] == [(Code.RESET_REQUEST, b"")]
    assert talk.wait(0.2) == first
    assert talk.say(Code.RESET_ACK, first[0].identifier + 1) == []
    assert talk.wait(0.4) == first
    assert talk.say(Code.RESET_ACK, first[0].identifier) == []
    assert talk.protocol.deadline is None


def test_a_peer_without_reset_ack_is_not_asked_for_ever() -> None:
    talk = ccp(reset_interval=0.2).open(mppe(H | S))
    talk.protocol.send_reset_request(0.0)
    assert len(talk.take() + talk.wait(60.0)) == MAX_RESET_REQUESTS
    assert talk.protocol.deadline is None
    assert talk.protocol.opened


def test_reset_requests_keep_their_distance() -> None:
    talk = ccp(reset_interval=0.2).open(mppe(H | S))
    talk.protocol.send_reset_request(0.0)
    first = talk.take()
    talk.say(Code.RESET_ACK, first[0].identifier)
    talk.now = 0.05
    assert talk.protocol.send_reset_request(0.05), "news: it will be asked"
    assert talk.take() == []
    second = talk.wait(0.15)
    assert [packet.code for packet in second] == [Code.RESET_REQUEST]
    assert second[0].identifier != first[0].identifier


def test_a_reset_ends_with_the_negotiation_it_belongs_to() -> None:
    talk = ccp(reset_interval=0.2).open(mppe(H | S))
    talk.protocol.send_reset_request(0.0)
    talk.protocol.renegotiate(0.0)
    assert [packet.code for packet in talk.take()] == [Code.RESET_REQUEST, Code.CONFIGURE_REQUEST]
    assert talk.layer.take() == [("down", None)]
    assert [packet.code for packet in talk.wait(3.0)] == [Code.CONFIGURE_REQUEST]


def test_lcp_codes_are_unknown_here() -> None:
    assert ccp().say(Code.ECHO_REQUEST, 1, data=bytes(4))[0].code == Code.CODE_REJECT


def test_snapshot() -> None:
    talk, copy = ccp(bits=(40, 128)), ccp(bits=(128,))
    talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, mppe(H | L))
    copy.protocol.restore(talk.protocol.snapshot())
    assert copy.protocol.rules.request() == [mppe(H | L)]
    assert copy.protocol.snapshot() == talk.protocol.snapshot()
