"""LCP's own packets: echoes, rejects of protocols, the packets of RFC 1570."""

import pytest

from holdfast.events import PeerIdentified, PppViolation
from holdfast.ppp.codes import Code
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet
from support.ppp_protocol import lcp

PEER_MAGIC = b"\x11\x22\x33\x44"
WITH_MAGIC = Option(5, PEER_MAGIC)


def our_magic(talk: object) -> bytes:
    return talk.protocol.options.local.magic.to_bytes(4)


def test_echo_request_is_answered_with_our_magic_and_its_data() -> None:
    talk = lcp().open(WITH_MAGIC)
    answer = talk.say(Code.ECHO_REQUEST, 50, data=PEER_MAGIC + b"probe")
    assert answer == [Packet(Code.ECHO_REPLY, 50, our_magic(talk) + b"probe")]


def test_echoes_count_only_when_opened() -> None:
    talk = lcp()
    assert talk.say(Code.ECHO_REQUEST, 50, data=PEER_MAGIC) == []
    talk.protocol.send_echo_request()
    assert talk.take() == []


@pytest.mark.parametrize("code", [Code.ECHO_REPLY, Code.DISCARD_REQUEST, Code.TIME_REMAINING, Code.IDENTIFICATION])
def test_these_have_no_answer(code: Code) -> None:
    talk = lcp().open(WITH_MAGIC)
    assert talk.say(code, 1, data=PEER_MAGIC + bytes(8)) == []
    assert talk.protocol.opened


@pytest.mark.parametrize("code", range(9, 14))
def test_without_magic_number_is_a_violation(code: int) -> None:
    talk = lcp().open(WITH_MAGIC)
    assert talk.say(code, 1, data=b"\1\2\3") == []
    assert [type(event) for event in talk.outbox.events] == [PppViolation]


def test_our_own_echo_means_a_loop() -> None:
    talk = lcp().open(WITH_MAGIC)
    assert talk.say(Code.ECHO_REQUEST, 1, data=our_magic(talk)) == []
    assert talk.layer.take()[0][0] == "looped"


def test_an_echo_reply_with_our_magic_is_how_some_peers_answer() -> None:
    """Old peers copy the request whole: no reason to hang up on them."""
    talk = lcp().open(WITH_MAGIC)
    talk.say(Code.ECHO_REPLY, 1, data=our_magic(talk))
    assert talk.layer.take() == []


def test_identification_is_told_printable() -> None:
    talk = lcp().open(WITH_MAGIC)
    talk.say(Code.IDENTIFICATION, 1, data=PEER_MAGIC + b"MSRAS-0-\x1bNAME")
    assert talk.outbox.events == [PeerIdentified("MSRAS-0-\\x1bNAME")]


def test_what_we_can_say() -> None:
    talk = lcp().open(WITH_MAGIC)
    magic = our_magic(talk)
    talk.protocol.send_echo_request(b"x")
    talk.protocol.send_discard_request(b"y")
    talk.protocol.send_identification("Holdfast")
    talk.protocol.send_time_remaining(300, "soon")
    assert [(packet.code, packet.data) for packet in talk.take()] == [
        (Code.ECHO_REQUEST, magic + b"x"),
        (Code.DISCARD_REQUEST, magic + b"y"),
        (Code.IDENTIFICATION, magic + b"Holdfast"),
        (Code.TIME_REMAINING, magic + b"\x00\x00\x01\x2csoon"),
    ]


def test_what_the_peer_rejects_is_not_sent_again() -> None:
    talk = lcp().open(WITH_MAGIC)
    talk.say(Code.CODE_REJECT, 9, data=Packet(Code.TIME_REMAINING, 1, bytes(8)).encode())
    talk.protocol.send_time_remaining(300)
    talk.protocol.send_echo_request()
    assert [packet.code for packet in talk.take()] == [Code.ECHO_REQUEST]


def test_a_rejected_magic_number_is_sent_as_zero() -> None:
    talk = lcp()
    magic = next(option for option in talk.sent[0].options() if option.type == 5)
    talk.sent = talk.say(Code.CONFIGURE_REJECT, talk.sent[0].identifier, magic)
    talk.open()
    talk.protocol.send_echo_request()
    assert talk.take()[0].data == bytes(4)
    assert talk.say(Code.ECHO_REQUEST, 1, data=bytes(4)) != [], "zero is nobody's own number"


def test_protocol_reject_goes_to_the_link() -> None:
    talk = lcp().open()
    talk.say(Code.PROTOCOL_REJECT, 1, data=b"\x80\xfd\x01\x01\x00\x04")
    talk.say(Code.PROTOCOL_REJECT, 2, data=b"\x80")
    assert talk.layer.take() == [("rejected", 0x80FD)]


def test_protocol_reject_before_opened_is_discarded() -> None:
    talk = lcp()
    talk.say(Code.PROTOCOL_REJECT, 1, data=b"\xc0\x21")
    assert talk.layer.take() == []


def test_protocol_reject_of_lcp_ends_it() -> None:
    talk = lcp().open()
    assert [packet.code for packet in talk.say(Code.PROTOCOL_REJECT, 1, data=b"\xc0\x21")] == [Code.TERMINATE_REQUEST]
    assert [what for what, _ in talk.layer.take()] == ["failed", "down"]


def test_a_reject_of_ours_fits_the_mru_of_the_peer() -> None:
    talk = lcp().open(Option(1, (128).to_bytes(2)))
    talk.protocol.reject_protocol(0x8057, bytes(1000))
    packet = talk.take()[0]
    assert packet.code == Code.PROTOCOL_REJECT
    assert packet.data[:2] == b"\x80\x57"
    assert len(packet.encode()) == 128


def test_no_protocol_reject_before_opened() -> None:
    talk = lcp()
    talk.protocol.reject_protocol(0x8057, b"")
    assert talk.take() == []


def test_snapshot_keeps_what_was_rejected() -> None:
    talk, copy = lcp().open(WITH_MAGIC), lcp()
    talk.say(Code.CODE_REJECT, 9, data=Packet(Code.IDENTIFICATION, 1, bytes(8)).encode())
    copy.protocol.restore(talk.protocol.snapshot())
    copy.protocol.send_identification("Holdfast")
    assert copy.take() == []
