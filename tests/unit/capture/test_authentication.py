from holdfast.capture.authentication import Authentication
from holdfast.capture.moment import Moment
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.framing import Protocol
from holdfast.ppp.packet import Packet

RESPONSE = b"\x31" + bytes(49)


class Talk:
    """Packets one after the other, in a session whose LCP agreed on `agreed`."""

    def __init__(self, agreed: Method | None = Method.MS_CHAP_V2) -> None:
        self.authentication = Authentication()
        self.agreed = agreed
        self.now = 0

    def say(self, from_client: bool, protocol: Protocol, code: int, data: bytes, identifier: int = 1) -> "Talk":
        self.now += 1
        moment = Moment(self.now, 0, self.now)
        item = PppItem(moment, from_client, protocol, Packet(code, identifier, data))
        self.authentication.take(item, self.agreed)
        return self


def challenged(talk: Talk) -> Talk:
    return talk.say(False, Protocol.CHAP, 1, b"\x10" + bytes(16) + b"server")


def test_success() -> None:
    found = challenged(Talk()).say(True, Protocol.CHAP, 2, RESPONSE + b"alice").say(False, Protocol.CHAP, 3, b"S=0")
    authentication = found.authentication
    assert (authentication.user, authentication.method) == ("alice", Method.MS_CHAP_V2)
    assert authentication.succeeded == Moment(3, 0, 3)
    assert authentication.failures == []
    assert authentication.attempts[0].challenge is not None


def test_failure_with_its_code_and_words() -> None:
    found = challenged(Talk()).say(True, Protocol.CHAP, 2, RESPONSE + b"alice")
    found.say(False, Protocol.CHAP, 4, b"E=649 R=0 C=00 V=3 M=not you")
    (attempt,) = found.authentication.failures
    assert (attempt.failure.error, attempt.message) == (649, "not you")
    assert found.authentication.succeeded is None


def test_a_failure_sent_twice_is_one() -> None:
    found = challenged(Talk()).say(True, Protocol.CHAP, 2, RESPONSE + b"alice")
    found.say(False, Protocol.CHAP, 4, b"E=691 R=1").say(False, Protocol.CHAP, 4, b"E=691 R=1")
    assert len(found.authentication.failures) == 1


def test_a_response_sent_again_is_one_attempt() -> None:
    found = challenged(Talk()).say(True, Protocol.CHAP, 2, RESPONSE + b"a").say(True, Protocol.CHAP, 2, RESPONSE + b"a")
    assert len(found.authentication.attempts) == 1


def test_the_length_of_the_response_tells_md5() -> None:
    found = challenged(Talk(None)).say(True, Protocol.CHAP, 2, b"\x10" + bytes(16) + b"bob")
    assert found.authentication.method is Method.CHAP_MD5


def test_the_server_may_prove_itself_too() -> None:
    found = (
        Talk()
        .say(True, Protocol.CHAP, 1, b"\x08" + bytes(8) + b"client")
        .say(False, Protocol.CHAP, 2, RESPONSE + b"server")
    )
    assert found.authentication.user == ""
    assert not found.authentication.attempts[0].by_client


def test_pap() -> None:
    found = (
        Talk(Method.PAP)
        .say(True, Protocol.PAP, 1, b"\x03bob\x06secret")
        .say(True, Protocol.PAP, 1, b"\x03bob\x06secret")
    )
    found.say(False, Protocol.PAP, 3, b"\x02no")
    (attempt,) = found.authentication.attempts
    assert (attempt.user, attempt.accepted, attempt.message) == ("bob", False, "no")


def test_nonsense_is_survived() -> None:
    found = (
        Talk().say(True, Protocol.CHAP, 2, b"").say(True, Protocol.CHAP, 2, b"\xff").say(False, Protocol.CHAP, 4, b"")
    )
    found.say(True, Protocol.PAP, 1, b"\xff").say(False, Protocol.PAP, 3, b"\xff").say(True, Protocol.EAP, 99, b"")
    assert found.authentication.succeeded is None
