"""MS-CHAP: the texts of Failure and Success, retries, changed passwords, and a server that is none."""

import re

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, ImpostorSuspected
from holdfast.ppp.authentication import AuthenticatorConfig, Method, MsChapError, Verdict
from holdfast.ppp.authentication_packets import (
    CHALLENGE,
    FAILURE,
    RESPONSE,
    SUCCESS,
    Failure,
    build_value,
    parse_failure,
)
from holdfast.ppp.mschap import MsChapV2Authenticator, verdict_from_failure
from holdfast.ppp.packet import parse
from holdfast.secret import Secret
from support.authentication import PASSWORD, Pair, build_packet, judge

BOTH = [Method.MS_CHAP, Method.MS_CHAP_V2]
CHALLENGE_32 = "0123456789ABCDEFFEDCBA9876543210"


def failures(pair: Pair) -> list[Failure]:
    return [parse_failure(packet[4:]) for packet in pair.sent if packet[0] == FAILURE]


@pytest.mark.parametrize(("method", "digits", "version"), [(Method.MS_CHAP, 16, 2), (Method.MS_CHAP_V2, 32, 3)])
def test_the_failure_of_each_version(method: Method, digits: int, version: int) -> None:
    pair = Pair(method, password=b"guess").start()
    (packet,) = [packet for packet in pair.sent if packet[0] == FAILURE]
    assert re.fullmatch(rb"E=691 R=1 C=[0-9A-F]{%d} V=%d( M=.+)?" % (digits, version), packet[4:])


@pytest.mark.parametrize(
    ("code", "reason"),
    [(646, DisconnectReason.AUTH_REFUSED), (647, DisconnectReason.AUTH_REFUSED), (648, DisconnectReason.AUTH_REFUSED)],
)
@pytest.mark.parametrize("method", BOTH)
def test_other_codes_reach_the_peer(method: Method, code: int, reason: DisconnectReason) -> None:
    pair = Pair(method, judged_by=lambda _: Verdict.reject(code, reason=reason)).start()
    assert [failure.error for failure in failures(pair)] == [code]
    for outcome in (pair.authenticator.outcome, pair.peer.outcome):
        assert outcome is not None
        assert outcome.result_code == code
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.reason is reason


def _second_attempt(pair: Pair, password: bytes, identifier_step: int = 1) -> None:
    """Answer the challenge of the last Failure, as a person does who types another password."""
    last = pair.sent[-1]
    challenge = parse_failure(last[4:]).challenge
    assert challenge is not None
    other = Pair(pair.authenticator.method, password=password).peer
    other.start(10.0)
    identifier = (last[1] + identifier_step) & 0xFF
    other.receive(build_packet(CHALLENGE, identifier, build_value(challenge.reveal(), b"")), 10.0)
    for packet in other.outgoing():
        pair.authenticator.receive(packet, 10.0)
    pair.talk(10.0)


@pytest.mark.parametrize("method", BOTH)
def test_a_second_attempt_with_the_new_challenge(method: Method) -> None:
    pair = Pair(method, password=b"guess").start()
    assert pair.authenticator.outcome is None
    assert pair.authenticator.last_rejection is not None
    assert pair.authenticator.deadline == 3.0
    _second_attempt(pair, PASSWORD)
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.succeeded
    assert [packet[0] for packet in pair.sent] == [CHALLENGE, FAILURE, SUCCESS]


@pytest.mark.parametrize("method", BOTH)
def test_three_attempts_and_no_more(method: Method) -> None:
    """RFC 2759 section 9.1.5."""
    pair = Pair(method, password=b"guess").start()
    _second_attempt(pair, b"guess again")
    _second_attempt(pair, b"and again")
    assert [failure.retry for failure in failures(pair)] == [True, True, False]
    challenges = [failure.challenge for failure in failures(pair)]
    assert len({challenge.reveal() for challenge in challenges if challenge is not None}) == 3
    assert pair.authenticator.outcome is not None
    assert not pair.authenticator.outcome.succeeded
    told = [event for event in pair.events if isinstance(event, AuthenticationFailed) and event.by_peer]
    assert [event.result_code for event in told] == [691] * 3
    _second_attempt(pair, PASSWORD)
    assert len(pair.exchanges) == 3


@pytest.mark.parametrize("method", BOTH)
def test_an_attempt_that_keeps_the_identifier_is_a_repetition(method: Method) -> None:
    pair = Pair(method, password=b"guess").start()
    _second_attempt(pair, PASSWORD, identifier_step=0)
    assert len(pair.exchanges) == 1
    assert [packet[0] for packet in pair.sent] == [CHALLENGE, FAILURE, FAILURE]
    assert pair.sent[1] == pair.sent[2]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b"E=691 R=1 C=9CCAA040087BC5FCF3A77E25B0AEC7D6 V=3", "E=691: wrong name or password"),
        (b"E=649 R=1 Try again", "E=649: no permission to dial in"),
        (b"E=646 R=0 V=3 M=Come back at eight", "E=646: Come back at eight"),
        (b"E=1234 R=0", "E=1234: authentication refused"),
        (b"Invalid!", "Invalid!"),
        (b"", "authentication refused"),
    ],
)
def test_what_real_servers_say_when_they_refuse(text: bytes, detail: str) -> None:
    pair = Pair(Method.MS_CHAP_V2)
    pair.authenticator.start(0.0)
    pair.peer.start(0.0)
    (challenge,) = pair.authenticator.outgoing()
    pair.peer.receive(challenge, 0.0)
    pair.peer.receive(build_packet(FAILURE, challenge[1], text), 0.0)
    assert pair.peer.outcome is not None
    assert (pair.peer.outcome.succeeded, pair.peer.outcome.detail) == (False, detail)


@pytest.mark.parametrize("method", BOTH)
def test_a_second_attempt_that_never_comes(method: Method) -> None:
    """The Failure is repeated for a minute, as Windows does while a person thinks."""
    pair = Pair(method, password=b"guess").start()
    failure = pair.sent[-1]
    for now in range(3, 60, 3):
        assert pair.authenticator.deadline == float(now)
        pair.authenticator.handle_timer(float(now))
        assert pair.authenticator.outgoing() == [failure]
        assert pair.authenticator.outcome is None
    pair.authenticator.handle_timer(60.0)
    assert pair.authenticator.deadline is None
    assert pair.authenticator.outgoing() == []
    assert pair.authenticator.outcome is not None
    assert (pair.authenticator.outcome.result_code, pair.authenticator.outcome.user) == (691, "User")


@pytest.mark.parametrize(
    ("method", "code", "size"), [(Method.MS_CHAP, 5, 68), (Method.MS_CHAP, 6, 1114), (Method.MS_CHAP_V2, 7, 582)]
)
def test_a_changed_password_is_politely_refused(method: Method, code: int, size: int) -> None:
    expired = Verdict.reject(MsChapError.PASSWD_EXPIRED, reason=DisconnectReason.AUTH_REFUSED)
    pair = Pair(method, judged_by=lambda _: expired).start()
    pair.authenticator.receive(build_packet(code, 77, bytes(size)), 1.0)
    (answer,) = pair.authenticator.outgoing()
    assert (answer[0], answer[1]) == (FAILURE, 77)
    failure = parse_failure(answer[4:])
    assert (failure.error, failure.retry) == (709, False)
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.result_code == 648


def test_a_changed_password_out_of_the_blue_is_a_violation() -> None:
    pair = Pair(Method.MS_CHAP_V2)
    pair.authenticator.start(0.0)
    pair.authenticator.outgoing()
    pair.authenticator.receive(build_packet(7, 77, bytes(582)), 1.0)
    assert pair.authenticator.outgoing() == []
    assert len(pair.authenticator.events()) == 1


class TestSuccess:
    """What a peer makes of a Success in MS-CHAPv2."""

    def answered(self) -> tuple[Pair, bytes]:
        pair = Pair(Method.MS_CHAP_V2)
        pair.authenticator.start(0.0)
        pair.peer.start(0.0)
        for packet in pair.authenticator.outgoing():
            pair.peer.receive(packet, 0.0)
        for packet in pair.peer.outgoing():
            pair.authenticator.receive(packet, 0.0)
        (question,) = pair.authenticator.commands()
        pair.authenticator.credentials_verified(judge()(question.exchange), 0.0)
        (success,) = pair.authenticator.outgoing()
        return pair, success

    def test_with_a_message(self) -> None:
        _, success = self.answered()
        assert re.fullmatch(rb"S=[0-9A-F]{40} M=Access granted", success[4:])

    @pytest.mark.parametrize("shape", ["without M=", "lower case", "another message"])
    def test_what_real_servers_send(self, shape: str) -> None:
        pair, success = self.answered()
        proof = success[4:46]
        message = {
            "without M=": proof,
            "lower case": b"S=" + proof[2:].lower() + b" M=ok",
            "another message": proof + b" M=\xff\xfe",
        }[shape]
        pair.peer.receive(build_packet(SUCCESS, success[1], message), 0.0)
        assert pair.peer.outcome is not None
        assert pair.peer.outcome.succeeded

    @pytest.mark.parametrize("fake", [b"", b"S=", b"S=" + b"0" * 40, b"Welcome", b"S=" + b"0" * 39, b"\xff" * 200])
    def test_an_impostor(self, fake: bytes) -> None:
        """RFC 2759 section 5: the peer MUST end the session."""
        pair, success = self.answered()
        pair.peer.receive(build_packet(SUCCESS, success[1], fake), 0.0)
        outcome = pair.peer.outcome
        assert outcome is not None
        assert not outcome.succeeded
        assert outcome.mppe is None
        assert [type(event) for event in pair.peer.events()] == [ImpostorSuspected, AuthenticationFailed]
        pair.peer.receive(success, 0.0)
        assert pair.peer.outcome is outcome

    def test_a_verdict_without_proof_is_a_failure(self) -> None:
        for proof in (None, Secret(b""), Secret(b"S=12"), Secret(b"x" * 42)):
            pair = Pair(Method.MS_CHAP_V2, judged_by=lambda _, proof=proof: Verdict.accept(None, proof)).start()
            assert pair.authenticator.outcome is not None
            assert not pair.authenticator.outcome.succeeded
            assert pair.authenticator.outcome.detail == "the verdict held no authenticator response"

    def test_a_success_worded_elsewhere_goes_out_word_for_word(self) -> None:
        text = Secret(b"S=" + b"0" * 40 + b" M=Willkommen")
        pair = Pair(Method.MS_CHAP_V2, judged_by=lambda _: Verdict.accept(None, text)).start()
        assert [packet[4:] for packet in pair.sent if packet[0] == SUCCESS] == [text.reveal()]


class TestWordedFailure:
    """A Failure that RADIUS has worded."""

    TEXT = f"E=691 R=1 C={CHALLENGE_32} V=3 M=Falsch".encode()

    def test_goes_out_word_for_word_and_its_challenge_counts(self) -> None:
        pair = Pair(Method.MS_CHAP_V2, judged_by=lambda _: verdict_from_failure(self.TEXT)).start()
        assert pair.sent[-1][4:] == self.TEXT
        pair.judged_by = judge()
        _second_attempt(pair, PASSWORD)
        assert pair.authenticator.outcome is not None
        assert pair.authenticator.outcome.succeeded

    def test_never_promises_a_retry_that_is_not_granted(self) -> None:
        config = AuthenticatorConfig(max_attempts=1)
        pair = Pair(Method.MS_CHAP_V2, config=config, judged_by=lambda _: verdict_from_failure(self.TEXT)).start()
        (failure,) = failures(pair)
        assert (failure.error, failure.retry, failure.message) == (691, False, "Falsch")

    @pytest.mark.parametrize("text", [b"", b"E=691 R=1", b"E=691 R=1 C=00 V=3", b"nonsense"])
    def test_what_a_peer_could_not_use_is_worded_anew(self, text: bytes) -> None:
        pair = Pair(Method.MS_CHAP_V2, judged_by=lambda _: verdict_from_failure(text)).start()
        (failure,) = failures(pair)
        assert failure.error == 691
        assert failure.challenge is not None
        assert len(failure.challenge) == 16

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (691, DisconnectReason.AUTH_FAILED),
            (647, DisconnectReason.AUTH_REFUSED),
            (648, DisconnectReason.AUTH_REFUSED),
        ],
    )
    def test_reasons(self, code: int, reason: DisconnectReason) -> None:
        verdict = verdict_from_failure(b"E=%d R=0 C=%s V=3" % (code, CHALLENGE_32.encode()))
        assert (verdict.accepted, verdict.result_code, verdict.reason) == (False, code, reason)


@pytest.mark.parametrize(("method", "size"), [(Method.MS_CHAP, 8), (Method.MS_CHAP_V2, 16)])
def test_a_challenge_of_the_wrong_size_is_not_answered(method: Method, size: int) -> None:
    pair = Pair(method)
    pair.peer.start(0.0)
    for wrong in {1, 7, 8, 9, 15, 16, 17, 255} - {size}:
        pair.peer.receive(build_packet(CHALLENGE, 1, build_value(bytes(wrong), b"")), 0.0)
    assert pair.peer.outgoing() == []
    pair.peer.receive(build_packet(CHALLENGE, 1, build_value(bytes(size), b"")), 0.0)
    assert len(pair.peer.outgoing()) == 1


def test_the_lan_manager_response_stays_empty() -> None:
    """RFC 2433 section 6."""
    pair = Pair(Method.MS_CHAP).start()
    packet = parse(pair.answered[0])
    assert (packet.code, packet.data[0], packet.data[1:25], packet.data[49]) == (RESPONSE, 49, bytes(24), 1)


def test_reserved_octets_are_zero() -> None:
    """RFC 2759 section 4."""
    packet = parse(Pair(Method.MS_CHAP_V2).start().answered[0])
    assert (packet.data[17:25], packet.data[49]) == (bytes(8), 0)


def test_the_peer_challenge_is_fresh() -> None:
    responses = {Pair(Method.MS_CHAP_V2, seed=seed).start().answered[0][5:21] for seed in range(5)}
    assert len(responses) == 5


def test_version_2_asks_with_16_octets_and_our_name() -> None:
    machine = MsChapV2Authenticator(Method.MS_CHAP_V2, AuthenticatorConfig(name="gate"), bytes)
    machine.start(0.0)
    (packet,) = machine.outgoing()
    assert packet == build_packet(CHALLENGE, 1, build_value(bytes(16), b"gate"))
