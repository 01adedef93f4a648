"""CHAP (RFC 1994): identifiers, retransmission, repeated challenges, bad sizes."""

import pytest

from holdfast.events import AuthenticationFailed, PppViolation
from holdfast.ppp.authentication import AuthenticatorConfig, Method, PeerCredentials, Verdict
from holdfast.ppp.authentication_packets import CHALLENGE, FAILURE, RESPONSE, SUCCESS, build_value, parse_value
from holdfast.ppp.chap import ChapAuthenticator, ChapPeer
from holdfast.ppp.crypto import chap_md5_response
from holdfast.secret import Secret
from support.authentication import CHAPS, PASSWORD, Pair, build_packet, judge

RECHALLENGE = AuthenticatorConfig(rechallenge_interval=300)


def peer() -> ChapPeer:
    machine = ChapPeer(Method.CHAP_MD5, PeerCredentials("User", Secret(PASSWORD)), bytes)
    machine.start(0.0)
    return machine


def test_a_response_is_the_hash_that_the_rfc_says() -> None:
    machine = peer()
    machine.receive(build_packet(CHALLENGE, 9, build_value(b"12345", b"")), 0.0)
    (packet,) = machine.outgoing()
    assert packet == build_packet(RESPONSE, 9, build_value(packet[5:21], b"User"))
    assert packet[5:21].hex() == "d294637a421531e07a0caf5a75fef50a"  # MD5 of 09, the password, the challenge


def test_a_challenge_is_sent_again_as_it_was() -> None:
    machine = ChapAuthenticator(Method.CHAP_MD5, AuthenticatorConfig(), bytes)
    machine.start(0.0)
    machine.handle_timer(3.0)
    first, second = machine.outgoing()
    assert first == second


def test_a_response_to_another_challenge_is_discarded() -> None:
    pair = Pair(Method.CHAP_MD5)
    pair.authenticator.start(0.0)
    (challenge,) = pair.authenticator.outgoing()
    pair.authenticator.receive(build_packet(RESPONSE, (challenge[1] + 1) & 0xFF, build_value(bytes(16), b"User")), 0.0)
    assert pair.authenticator.commands() == []
    assert pair.authenticator.outgoing() == []


def test_a_response_before_any_challenge_is_discarded() -> None:
    machine = ChapAuthenticator(Method.CHAP_MD5, AuthenticatorConfig(), bytes)
    for identifier in range(256):
        machine.receive(build_packet(RESPONSE, identifier, build_value(bytes(16), b"User")), 0.0)
    assert machine.commands() == []


@pytest.mark.parametrize("method", CHAPS)
@pytest.mark.parametrize("size", [1, 15, 17, 48, 50, 255])
def test_a_response_of_the_wrong_size_fails_without_a_question(method: Method, size: int) -> None:
    pair = Pair(method)
    pair.authenticator.start(0.0)
    (challenge,) = pair.authenticator.outgoing()
    pair.authenticator.receive(build_packet(RESPONSE, challenge[1], build_value(bytes(size), b"User")), 0.0)
    assert pair.authenticator.commands() == []
    (answer,) = pair.authenticator.outgoing()
    assert (answer[0], answer[1]) == (FAILURE, challenge[1])
    assert pair.authenticator.outcome is not None
    assert not pair.authenticator.outcome.succeeded


@pytest.mark.parametrize("method", CHAPS)
@pytest.mark.parametrize("data", [b"", b"\0", b"\x05abc", b"\xff" + bytes(200)])
def test_a_value_size_past_the_end_is_discarded(method: Method, data: bytes) -> None:
    assert parse_value(data) is None
    pair = Pair(method)
    pair.authenticator.start(0.0)
    (challenge,) = pair.authenticator.outgoing()
    pair.authenticator.receive(build_packet(RESPONSE, challenge[1], data), 0.0)
    pair.peer.receive(build_packet(CHALLENGE, challenge[1], data), 0.0)
    for machine in (pair.authenticator, pair.peer):
        assert machine.outgoing() == []
        assert machine.outcome is None
        assert [type(event) for event in machine.events()] == [PppViolation]
    pair.peer.start(0.0)
    pair.peer.receive(challenge, 1.0)
    pair.talk(1.0)
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.succeeded


@pytest.mark.parametrize("method", CHAPS)
def test_names_of_every_size(method: Method) -> None:
    size = 16 if method is Method.CHAP_MD5 else 49
    for length, asked in ((0, 1), (256, 1), (257, 0), (1400, 0)):
        pair = Pair(method)
        pair.authenticator.start(0.0)
        (challenge,) = pair.authenticator.outgoing()
        packet = build_packet(RESPONSE, challenge[1], build_value(bytes(size), b"u" * length))
        pair.authenticator.receive(packet, 0.0)
        assert len(pair.authenticator.commands()) == asked
        assert len(pair.authenticator.outgoing()) == 1 - asked


def test_an_empty_name_in_the_challenge() -> None:
    """As accel-ppp sends it."""
    machine = peer()
    machine.receive(build_packet(CHALLENGE, 1, build_value(bytes(16), b"")), 0.0)
    assert len(machine.outgoing()) == 1


@pytest.mark.parametrize("method", CHAPS)
def test_a_repeated_challenge_gets_the_same_response(method: Method) -> None:
    pair = Pair(method)
    pair.authenticator.start(0.0)
    (challenge,) = pair.authenticator.outgoing()
    pair.peer.start(0.0)
    pair.peer.receive(challenge, 0.0)
    pair.peer.receive(challenge, 3.0)
    first, second = pair.peer.outgoing()
    assert first == second


@pytest.mark.parametrize("method", CHAPS)
def test_a_lost_success(method: Method) -> None:
    """The peer repeats its Response, and the authenticator its Success."""
    pair = Pair(method)
    pair.authenticator.start(0.0)
    pair.peer.start(0.0)
    pair.step(0.0)
    pair.step(0.0)
    assert pair.authenticator.outcome is not None
    (lost,) = pair.authenticator.outgoing()
    for count in range(1, 4):
        assert pair.peer.deadline == 3.0 * count
        pair.peer.handle_timer(3.0 * count)
        assert pair.peer.outgoing() == [pair.answered[0]]
    pair.authenticator.receive(pair.answered[0], 9.0)
    assert pair.authenticator.outgoing() == [lost]
    pair.peer.receive(lost, 9.0)
    assert pair.peer.outcome is not None
    assert pair.peer.outcome.succeeded
    assert pair.peer.deadline is None


@pytest.mark.parametrize("code", [SUCCESS, FAILURE])
@pytest.mark.parametrize("method", CHAPS)
def test_a_result_that_belongs_to_no_response_of_ours(method: Method, code: int) -> None:
    pair = Pair(method)
    pair.peer.start(0.0)
    pair.peer.receive(build_packet(code, 0, b"S=" + b"0" * 40), 0.0)
    assert pair.peer.outcome is None
    pair.authenticator.start(0.0)
    (challenge,) = pair.authenticator.outgoing()
    pair.peer.receive(challenge, 0.0)
    pair.peer.receive(build_packet(code, (challenge[1] + 1) & 0xFF, b""), 0.0)
    assert pair.peer.outcome is None


@pytest.mark.parametrize("method", CHAPS)
def test_later_challenges(method: Method) -> None:
    pair = Pair(method, config=RECHALLENGE).start()
    first = pair.authenticator.outcome
    assert pair.authenticator.deadline == 300.0
    assert pair.peer.deadline is None
    events = len(pair.events)
    for now in (300.0, 600.0):
        pair.authenticator.handle_timer(now)
        pair.talk(now)
        assert pair.authenticator.deadline == now + 300.0
    identifiers = [packet[1] for packet in pair.sent if packet[0] == CHALLENGE]
    assert len(set(identifiers)) == 3
    assert pair.authenticator.outcome is first
    assert len(pair.exchanges) == 3
    assert len(pair.events) == events


@pytest.mark.parametrize("method", CHAPS)
def test_a_later_challenge_unanswered_or_answered_wrong_ends_it(method: Method) -> None:
    for judged in (None, Verdict.reject(retry=True)):
        pair = Pair(method, config=RECHALLENGE).start()
        pair.authenticator.handle_timer(300.0)
        if judged is None:
            while pair.authenticator.deadline is not None:
                pair.authenticator.handle_timer(pair.authenticator.deadline)
        else:
            pair.judged_by = lambda _, judged=judged: judged
            pair.talk(300.0)
            assert pair.peer.outcome is not None
            assert not pair.peer.outcome.succeeded
        assert pair.authenticator.outcome is not None
        assert not pair.authenticator.outcome.succeeded
        assert pair.authenticator.outcome.user == "User"


def test_another_user_may_not_answer_a_later_challenge() -> None:
    pair = Pair(Method.CHAP_MD5, config=RECHALLENGE).start()
    pair.authenticator.handle_timer(300.0)
    (challenge,) = pair.authenticator.outgoing()
    value = parse_value(challenge[4:])
    assert value is not None
    response = chap_md5_response(challenge[1], PASSWORD, value.value)
    pair.authenticator.receive(build_packet(RESPONSE, challenge[1], build_value(response, b"mallory")), 300.0)
    (question,) = pair.authenticator.commands()
    pair.authenticator.credentials_verified(judge()(question.exchange), 300.0)
    assert [packet[0] for packet in pair.authenticator.outgoing()] == [FAILURE]
    assert pair.authenticator.outcome is not None
    assert not pair.authenticator.outcome.succeeded


def test_plain_chap_has_no_second_attempt() -> None:
    pair = Pair(Method.CHAP_MD5, password=b"guess").start()
    assert [event for event in pair.events if isinstance(event, AuthenticationFailed) and event.by_peer] == [
        AuthenticationFailed(Method.CHAP_MD5, "User", 0, "wrong password", by_peer=True)
    ]


def test_a_refused_peer_says_nothing_more() -> None:
    pair = Pair(Method.CHAP_MD5, password=b"guess").start()
    pair.peer.receive(pair.sent[0][:1] + b"\x63" + pair.sent[0][2:], 1.0)
    pair.peer.receive(build_packet(SUCCESS, 0x63, b""), 1.0)
    assert pair.peer.outgoing() == []
    assert pair.peer.outcome is not None
    assert not pair.peer.outcome.succeeded


@pytest.mark.parametrize(
    "packet", [b"", b"\x01", b"\x01\x02\x00", b"\x01\x02\x00\x03", b"\x01\x02\x00\x05", b"\x01\x02\xff\xff" + bytes(99)]
)
def test_packets_that_are_none(packet: bytes) -> None:
    machine = peer()
    machine.receive(packet, 0.0)
    assert machine.outgoing() == []
    assert [type(event) for event in machine.events()] == [PppViolation]


def test_padding_is_no_data() -> None:
    machine = peer()
    machine.receive(build_packet(CHALLENGE, 1, build_value(b"x", b"")) + b"padding", 0.0)
    machine.receive(build_packet(FAILURE, 1, b"no") + b"padding", 0.0)
    assert machine.outcome is not None
    assert machine.outcome.detail == "no"
