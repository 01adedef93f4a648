"""LCP's options: what is asked, followed, granted, refused (RFC 1661 section 6)."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.ppp.authentication import Method, lcp_option_value
from holdfast.ppp.codes import Code
from holdfast.ppp.lcp_rules import MAX_LOOPS, LcpValues
from holdfast.ppp.options import Option, describe_options
from support.ppp_protocol import lcp

V2, MD5, PAP = Method.MS_CHAP_V2, Method.CHAP_MD5, Method.PAP


def auth(method: Method) -> Option:
    return Option(3, lcp_option_value(method))


def asked(packets: list) -> str:
    """Return our Configure-Request as text, without its Magic-Number."""
    requests = [packet for packet in packets if packet.code == Code.CONFIGURE_REQUEST]
    return describe_options(0xC021, [option for option in requests[-1].options() if option.type != 5])


def test_what_a_gateway_asks() -> None:
    assert asked(lcp((V2, MD5)).sent) == "mru=1400 auth=ms-chap-v2 pfc acfc"


def test_defaults_are_not_asked() -> None:
    talk = lcp(
        mru=1500, magic_number=False, protocol_field_compression=False, address_and_control_field_compression=False
    )
    assert talk.sent[0].data == b""


def test_accm_is_asked_when_set() -> None:
    assert asked(lcp(accm=0).sent) == "mru=1400 accm=0x00000000 pfc acfc"


def test_agreed_values_count_from_opened_on() -> None:
    talk = lcp((V2,)).open(Option(1, b"\x05\xaa"), Option(2, bytes(4)), Option(5, b"abcd"), Option(7), Option(8))
    local, peer = talk.protocol.options.local, talk.protocol.options.peer
    assert (local.mru, local.authentication, local.protocol_field_compression) == (1400, V2, True)
    assert local.address_and_control_field_compression
    assert peer == LcpValues(0x5AA, 0, None, 0x61626364, True, True)


@pytest.mark.parametrize(
    ("suggested", "text"),
    [(1300, "mru=1300 "), (1450, "mru=1450 "), (1500, ""), (1501, "mru=1400 "), (127, "mru=1400 ")],
)
def test_a_suggested_mru_is_followed_up_to_the_default(suggested: int, text: str) -> None:
    talk = lcp()
    answer = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, Option(1, suggested.to_bytes(2)))
    assert asked(answer) == f"{text}pfc acfc"


@pytest.mark.parametrize("data", [b"", b"\x05", b"\x05\xdc\x00"])
def test_an_odd_suggestion_is_ignored(data: bytes) -> None:
    talk = lcp()
    assert asked(talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, Option(1, data))) == "mru=1400 pfc acfc"


def test_a_nak_with_an_allowed_method_is_followed() -> None:
    talk = lcp((PAP, MD5, V2))
    answer = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, auth(V2))
    assert asked(answer) == "mru=1400 auth=ms-chap-v2 pfc acfc"


def test_other_naks_walk_through_the_allowed_methods_then_refuse() -> None:
    talk = lcp((V2, MD5))
    answer = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, auth(PAP))
    assert asked(answer) == "mru=1400 auth=chap-md5 pfc acfc"
    assert talk.say(Code.CONFIGURE_NAK, answer[0].identifier, auth(PAP)) == []
    what, failure = talk.layer.take()[0]
    assert what == "failed"
    assert failure.reason is DisconnectReason.AUTH_REFUSED
    assert "pap" in failure.detail


def test_a_nak_never_brings_in_a_method_that_is_not_allowed() -> None:
    talk = lcp((V2,))
    assert talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, Option(3, b"\xc2\x27")) == []
    assert talk.layer.take()[0][1].reason is DisconnectReason.AUTH_REFUSED


def test_a_rejected_authentication_is_a_refusal() -> None:
    talk = lcp((V2,))
    assert talk.say(Code.CONFIGURE_REJECT, talk.sent[0].identifier, auth(V2)) == []
    assert talk.layer.take()[0][1].reason is DisconnectReason.AUTH_REFUSED


def test_a_nak_about_authentication_means_nothing_when_none_is_demanded() -> None:
    talk = lcp()
    answer = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, auth(PAP))
    assert asked(answer) == "mru=1400 pfc acfc"
    assert talk.layer.take() == []


@pytest.mark.parametrize(
    ("option", "code", "answer"),
    [
        (Option(1, b"\x05\xdc"), Code.CONFIGURE_ACK, Option(1, b"\x05\xdc")),
        (Option(1, b"\x00\x40"), Code.CONFIGURE_NAK, Option(1, b"\x00\x80")),
        (Option(1, b"\x40"), Code.CONFIGURE_NAK, Option(1, b"\x05\xdc")),
        (Option(2, b"\x00\x0a\x00\x00"), Code.CONFIGURE_ACK, Option(2, b"\x00\x0a\x00\x00")),
        (Option(2, b"\x00"), Code.CONFIGURE_NAK, Option(2, bytes(4))),
        (auth(PAP), Code.CONFIGURE_REJECT, auth(PAP)),
        (Option(4, b"\xc0\x25\0\0\0\0"), Code.CONFIGURE_REJECT, Option(4, b"\xc0\x25\0\0\0\0")),
        (Option(5, b"abcd"), Code.CONFIGURE_ACK, Option(5, b"abcd")),
        (Option(7, b"x"), Code.CONFIGURE_REJECT, Option(7, b"x")),
        (Option(8), Code.CONFIGURE_ACK, Option(8)),
        (Option(13, b"\x06"), Code.CONFIGURE_REJECT, Option(13, b"\x06")),
        (Option(17, b"\x06\x4e"), Code.CONFIGURE_REJECT, Option(17, b"\x06\x4e")),
        (Option(19, b"\x01"), Code.CONFIGURE_REJECT, Option(19, b"\x01")),
        (Option(0), Code.CONFIGURE_REJECT, Option(0)),
        (Option(255, b"?"), Code.CONFIGURE_REJECT, Option(255, b"?")),
    ],
)
def test_each_option_of_a_peer(option: Option, code: Code, answer: Option) -> None:
    packet = lcp().say(1, 1, option)[0]
    assert (packet.code, packet.options()) == (code, [answer])


@pytest.mark.parametrize("data", [bytes(4), b"abc", b""])
def test_an_illegal_magic_number_is_refused_with_a_legal_one(data: bytes) -> None:
    packet = lcp().say(1, 1, Option(5, data))[0]
    assert packet.code == Code.CONFIGURE_NAK
    assert len(packet.options()[0].data) == 4
    assert any(packet.options()[0].data)


def test_a_doubled_option_is_rejected() -> None:
    packet = lcp().say(1, 1, Option(7), Option(7))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_REJECT, [Option(7)])


@pytest.mark.parametrize(
    ("asks", "code"), [(V2, Code.CONFIGURE_ACK), (MD5, Code.CONFIGURE_NAK), (PAP, Code.CONFIGURE_NAK)]
)
def test_a_dialer_proves_itself_only_as_it_likes(asks: Method, code: Code) -> None:
    packet = lcp(accept=(V2,)).say(1, 1, auth(asks))[0]
    assert (packet.code, packet.options()) == (code, [auth(V2)])


def test_eap_is_refused_with_our_method() -> None:
    packet = lcp(accept=(V2,)).say(1, 1, Option(3, b"\xc2\x27"))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_NAK, [auth(V2)])


def test_our_own_magic_number_is_refused_then_called_a_loop() -> None:
    talk = lcp((V2,))
    for _ in range(MAX_LOOPS - 1):
        ours = Option(5, talk.protocol.options.local.magic.to_bytes(4))
        answer = talk.say(1, 1, ours, auth(V2))
        assert [packet.code for packet in answer] == [Code.CONFIGURE_NAK]
        assert answer[0].options()[0] != ours
    assert talk.say(1, 1, ours) == []
    assert talk.layer.take()[-1][1].reason is DisconnectReason.NETWORK_ERROR


def test_a_link_that_is_a_mirror_is_recognised() -> None:
    talk = lcp((V2,))
    flying = talk.sent
    for _ in range(100):
        if not flying:
            break
        flying = talk.say(flying[0].code, flying[0].identifier, data=flying[0].data) + flying[1:]
    failures = [failure for what, failure in talk.layer.take() if what == "failed"]
    assert failures[0].reason is DisconnectReason.NETWORK_ERROR


def test_a_nak_of_our_magic_number_draws_another() -> None:
    talk = lcp()
    first = talk.protocol.options.local.magic
    talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, Option(5, b"abcd"))
    assert talk.protocol.options.local.magic not in (first, 0, 0x61626364)


def test_a_new_negotiation_begins_from_nothing() -> None:
    talk = lcp((V2, PAP)).open(Option(1, b"\x05\x00"))
    first = talk.protocol.options.local.magic
    answers = talk.say(1, 2)
    assert asked(answers) == "mru=1400 auth=ms-chap-v2 pfc acfc"
    assert talk.protocol.options.local.magic != first
    assert talk.protocol.options.peer.mru == 1500
