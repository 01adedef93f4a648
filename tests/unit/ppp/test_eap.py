"""The pass-through authenticator, alone."""

from collections.abc import Iterator

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, AuthenticationSucceeded, PppViolation
from holdfast.ppp.authentication import make_authenticator, restore_authenticator
from holdfast.ppp.authentication_types import (
    AuthenticatorConfig,
    AuthTiming,
    EapExchange,
    EapRequest,
    Method,
    Verdict,
)
from holdfast.ppp.eap import LARGEST_MESSAGE, MOST_ROUNDS, EapAuthenticator, read_exactly, read_request
from holdfast.ppp.eap_types import FAILURE, REQUEST, RESPONSE, SUCCESS, EapType
from holdfast.ppp.framing import Protocol, split
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.packet import Packet, parse
from holdfast.secret import Secret
from support.captures import gre_packets

KEYS = MppeKeyPair(Secret(b"s" * 16), Secret(b"r" * 16))
CONFIG = AuthenticatorConfig(mtu=1200)


class Talk:
    """A machine, and what a test says to it. The peer's Identity is asked with identifier 1."""

    def __init__(self, config: AuthenticatorConfig = CONFIG) -> None:
        self.config = config
        self.machine = make_authenticator(Method.EAP, config, bytes)
        self.now = 0.0
        self.machine.start(0.0)

    def sent(self) -> list[Packet]:
        """Return what was sent since the last call."""
        return [parse(octets) for octets in self.machine.outgoing()]

    def say(self, identifier: int, data: bytes, code: int = RESPONSE) -> EapExchange | None:
        """Let the peer say something; return what is asked about it."""
        self.machine.receive(Packet(code, identifier, data).encode(), self.now)
        return self.asked()

    def asked(self) -> EapExchange | None:
        """Return the question that waits."""
        questions = [question.exchange for question in self.machine.commands()]
        assert len(questions) <= 1
        return questions[0] if questions else None

    def identified(self, name: bytes = b"alice") -> EapExchange:
        """Let the peer give its Identity."""
        self.sent()
        exchange = self.say(1, bytes((EapType.IDENTITY,)) + name)
        assert exchange is not None
        return exchange

    def request(self, identifier: int, data: bytes, **options: object) -> list[Packet]:
        """Let the server ask something; return what is sent."""
        message = Secret(Packet(REQUEST, identifier, data).encode())
        self.machine.credentials_verified(EapRequest(message, **options), self.now)
        return self.sent()

    def decide(self, verdict: Verdict) -> list[Packet]:
        """Let the server decide; return what is sent."""
        self.machine.credentials_verified(verdict, self.now)
        return self.sent()

    def wait(self) -> tuple[float, list[Packet]]:
        """Let the next timer expire; return how long that took and what was sent."""
        assert self.machine.deadline is not None
        waited, self.now = self.machine.deadline - self.now, self.machine.deadline
        self.machine.handle_timer(self.now)
        return waited, self.sent()

    def events(self, kind: type) -> list:
        """Drain the events of one kind."""
        return [event for event in self.machine.events() if isinstance(event, kind)]


def test_the_first_request_asks_for_the_identity():
    talk = Talk()
    assert talk.sent() == [Packet(REQUEST, 1, b"\x01")]
    exchange = talk.say(1, b"\x01alice@example.net")
    assert exchange is not None
    assert (exchange.name, exchange.user, exchange.mtu) == (b"alice@example.net", "alice@example.net", 1200)
    assert (exchange.server, exchange.state.reveal(), exchange.eap_type) == ("", b"", 0)
    assert exchange.message.reveal() == Packet(RESPONSE, 1, b"\x01alice@example.net").encode()


def test_a_conversation_of_some_rounds():
    talk = Talk()
    talk.identified()
    assert talk.request(2, b"\x0d\x20", server="one", state=Secret(b"S1")) == [Packet(REQUEST, 2, b"\x0d\x20")]
    exchange = talk.say(2, b"\x0d\x80hello")
    assert (exchange.server, exchange.state.reveal(), exchange.eap_type) == ("one", b"S1", EapType.TLS)
    talk.request(3, b"\x0d\0", server="one", state=Secret(b"S2"))
    assert talk.say(3, b"\x0d\0").state.reveal() == b"S2"
    success = Packet(SUCCESS, 3)
    assert talk.decide(Verdict(True, KEYS, user="Alice", verbatim=success.encode())) == [success]
    assert talk.machine.outcome.mppe == KEYS
    assert talk.machine.outcome.user == "Alice"
    assert talk.events(AuthenticationSucceeded) == [AuthenticationSucceeded("eap", "Alice", True, "EAP-TLS")]
    assert talk.machine.deadline is None


def test_the_type_is_that_of_the_last_method_offered():
    """The peer refuses EAP-TLS; a Notification in between is no method."""
    talk = Talk()
    talk.identified()
    talk.request(2, b"\x0d\x20")
    assert talk.say(2, b"\x03\x1a").message.reveal()[4:] == b"\x03\x1a"
    talk.request(3, b"\x1achallenge")
    talk.say(3, b"\x1aresponse")
    talk.request(4, b"\x02your password expires")
    talk.say(4, b"\x02")
    talk.decide(Verdict(True, KEYS, verbatim=Packet(SUCCESS, 4).encode()))
    assert talk.events(AuthenticationSucceeded)[0].eap_type == "EAP-MSCHAPv2"


def test_a_failure_of_the_server_reaches_the_peer_as_it_is():
    talk = Talk()
    talk.identified()
    failure = Packet(FAILURE, 77)
    assert talk.decide(Verdict.reject(detail="no", verbatim=failure.encode())) == [failure]
    assert not talk.machine.outcome.succeeded
    assert talk.machine.outcome.reason is DisconnectReason.AUTH_FAILED
    assert talk.events(AuthenticationFailed)[0].user == "alice"


def test_a_refusal_of_our_own_is_a_failure_with_the_identifier_of_the_response():
    talk = Talk()
    talk.identified()
    talk.request(9, b"\x0d\x20")
    talk.say(9, b"\x0d\0")
    assert talk.decide(Verdict.reject(reason=DisconnectReason.LIMIT_REACHED)) == [Packet(FAILURE, 9)]


@pytest.mark.parametrize(
    ("accepted", "packet"), [(True, Packet(FAILURE, 1)), (False, Packet(SUCCESS, 1)), (True, Packet(REQUEST, 2, b"\1"))]
)
def test_a_packet_that_contradicts_the_verdict_is_kept_back(accepted, packet):
    talk = Talk()
    talk.identified()
    verdict = Verdict(accepted, reason=DisconnectReason.AUTH_FAILED, verbatim=packet.encode())
    assert talk.decide(verdict) == []
    assert talk.machine.outcome.succeeded is accepted


def test_requests_are_repeated_ever_more_slowly_and_not_for_ever():
    talk = Talk()
    first = talk.sent()
    waits = []
    while talk.machine.outcome is None:
        waited, sent = talk.wait()
        waits.append(waited)
        assert sent in (first, [])
    assert waits == [3.0, 6.0, 12.0, 20.0, 20.0]
    assert "no Response to 5 Requests (Identity)" in talk.machine.outcome.detail


def test_a_wait_that_the_server_names_holds_for_its_request_alone():
    talk = Talk()
    talk.identified()
    talk.request(2, b"\x06your code?", patience=60.0)
    assert [talk.wait()[0] for _ in range(2)] == [60.0, 60.0]
    talk.say(2, b"\x06123")
    talk.request(3, b"\x06once more")
    assert talk.wait()[0] == pytest.approx(3.0)


def test_duplicates_and_strangers_are_discarded():
    talk = Talk()
    talk.identified()
    assert talk.say(1, b"\x01alice") is None  # the question is already asked
    talk.request(2, b"\x0d\x20")
    for identifier in (1, 3, 255):
        assert talk.say(identifier, b"\x0d\0") is None
    assert talk.say(2, b"\x0d\0") is not None
    assert talk.say(2, b"\x0d\0") is None
    talk.decide(Verdict(True, KEYS, verbatim=Packet(SUCCESS, 2).encode()))
    assert talk.say(2, b"\x0d\0") is None
    assert talk.sent() == []
    assert not talk.events(PppViolation)


def test_the_server_may_send_the_same_request_again():
    """RFC 3579 section 2.6.1: the Response was not to its taste; another may come."""
    talk = Talk()
    talk.identified()
    talk.request(2, b"\x0d\x20")
    talk.say(2, b"\x0dforged")
    assert talk.request(2, b"\x0d\x20") == [Packet(REQUEST, 2, b"\x0d\x20")]
    assert talk.say(2, b"\x0dtrue").message.reveal()[4:] == b"\x0dtrue"


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (b"", "0 octets, too short"),
        (b"\x02\x01\x00", "3 octets"),
        (b"\x02\x01\xff\xff\x01alice", "length 65535"),
        (b"\x02\x01\x00\x03\x01", "length 3"),
        (Packet(RESPONSE, 1).encode(), "without a Type"),
        (Packet(RESPONSE, 1, b"\x0d\0").encode(), "answered with EAP-TLS"),
        (Packet(RESPONSE, 1, b"\x03\x0d").encode(), "answered with Nak"),
        (Packet(RESPONSE, 1, b"\x01" + b"a" * 254).encode(), "an Identity of 254 octets"),
        (Packet(RESPONSE, 1, b"\x01" * (LARGEST_MESSAGE + 1)).encode(), "3001 octets"),
        (Packet(REQUEST, 1, b"\x01").encode(), "code 1 sent"),
        (Packet(SUCCESS, 1).encode(), "code 3 sent"),
        (Packet(FAILURE, 1).encode(), "code 4 sent"),
        (Packet(17, 1, b"x").encode(), "code 17 sent"),
    ],
)
def test_what_cannot_be_is_discarded_and_told(packet, said):
    talk = Talk()
    talk.sent()
    talk.machine.receive(packet, 0.0)
    assert talk.asked() is None
    assert talk.sent() == []
    (violation,) = talk.events(PppViolation)
    assert said in violation.detail
    assert talk.identified().name == b"alice"


def test_octets_past_the_length_are_padding():
    talk = Talk()
    talk.sent()
    talk.machine.receive(Packet(RESPONSE, 1, b"\x01alice").encode() + bytes(40), 0.0)
    assert talk.asked().message.reveal() == Packet(RESPONSE, 1, b"\x01alice").encode()


def test_an_endless_conversation_ends():
    talk = Talk()
    talk.identified()
    for round_ in range(2, MOST_ROUNDS + 1):
        talk.request(round_ & 0xFF, b"\x0d\0")
        assert talk.say(round_ & 0xFF, b"\x0d\0") is not None
    talk.request(200, b"\x0d\0")
    assert talk.say(200, b"\x0d\0") is None
    assert "no decision after 100 Responses" in talk.machine.outcome.detail
    assert talk.sent() == [Packet(FAILURE, 200)]


@pytest.mark.parametrize(
    "message", [b"", b"\x01", Packet(RESPONSE, 2, b"\1").encode(), Packet(REQUEST, 2).encode(), b"\1\2\0\5\1\1"]
)
def test_a_server_that_sends_no_request(message):
    talk = Talk()
    talk.identified()
    talk.machine.credentials_verified(EapRequest(Secret(message)), 0.0)
    assert talk.machine.outcome.reason is DisconnectReason.AUTH_REFUSED
    assert talk.sent() == [Packet(FAILURE, 1)]


def test_nobody_judges():
    talk = Talk(AuthenticatorConfig(timing=AuthTiming(verification_timeout=5.0)))
    talk.identified()
    assert talk.wait() == (5.0, [])  # RFC 3748 section 4.2: a Failure is for Responses that are not acceptable
    assert "nobody judged" in talk.machine.outcome.detail
    assert talk.machine.outcome.reason is DisconnectReason.AUTH_UNAVAILABLE


def test_another_method_has_no_place_for_a_second_question():
    machine = make_authenticator(Method.PAP, CONFIG, bytes)
    machine.start(0.0)
    machine.receive(Packet(1, 1, b"\1a\1b").encode(), 0.0)
    machine.credentials_verified(EapRequest(Secret(b"")), 0.0)
    assert not machine.outcome.succeeded


def test_stopped_and_continued_at_every_step():
    def steps() -> Iterator[Talk]:
        talk = Talk()
        yield talk
        talk.identified()
        talk = carried_over(talk)
        yield talk
        talk.request(2, b"\x19\x20", server="one", state=Secret(b"S"), patience=7.0)
        talk = carried_over(talk)
        yield talk
        assert talk.wait()[0] == pytest.approx(7.0)
        exchange = talk.say(2, b"\x19\0")
        assert (exchange.state.reveal(), exchange.mtu) == (b"S", 1200)
        talk = carried_over(talk)
        assert talk.asked() is None
        talk.decide(Verdict(True, KEYS, verbatim=Packet(SUCCESS, 2).encode()))
        yield carried_over(talk)

    last = list(steps())[-1]
    assert last.machine.outcome.mppe == KEYS
    assert isinstance(last.machine, EapAuthenticator)


def carried_over(talk: Talk) -> Talk:
    """Continue in another machine; a question that was under way is asked again."""
    state = talk.machine.snapshot()
    pending = state["pending"] is not None
    other = Talk()
    other.now, other.machine = talk.now, restore_authenticator(state, AuthenticatorConfig(), bytes)
    assert (other.asked() is not None) is pending
    assert other.machine.snapshot() == state
    return other


@pytest.mark.captures
def test_the_frames_of_the_overflow_attack_do_nothing():
    """CVE-2020-8597: an MD5-Challenge whose name is longer than what it stands in."""
    frames = [split(packet[8:]) for packet in gre_packets("certcc__cve-2020-8597_gre-samples.pcap")]
    assert [frame.protocol for frame in frames] == [Protocol.EAP, Protocol.EAP]
    for frame in frames:
        for code in (REQUEST, RESPONSE):
            talk = Talk()
            talk.sent()
            talk.machine.receive(bytes((code, 1)) + frame.information[2:], 0.0)
            assert talk.sent() == []
            assert talk.asked() is None


def test_reading_what_a_server_sends():
    assert read_request(Packet(REQUEST, 1, b"\x01").encode()) == Packet(REQUEST, 1, b"\x01")
    assert read_request(Packet(REQUEST, 1).encode()) is None
    assert read_exactly(Packet(SUCCESS, 1).encode() + b"\0") is None
    assert read_exactly(b"\3\1\0") is None
