from holdfast.capture.moment import Moment
from holdfast.capture.negotiation import Negotiation, find_option, options_of
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol
from holdfast.ppp.packet import Packet


class Talk:
    """Packets one after the other."""

    def __init__(self) -> None:
        self.negotiation = Negotiation(Protocol.LCP)
        self.now = 0

    def say(self, from_client: bool, code: int, identifier: int, data: bytes = b"") -> "Talk":
        self.now += 1
        moment = Moment(self.now * 1_000_000_000, 0, self.now)
        self.negotiation.take(PppItem(moment, from_client, Protocol.LCP, Packet(code, identifier, data)))
        return self


MRU_1500, MRU_1400 = b"\x01\x04\x05\xdc", b"\x01\x04\x05\x78"


def test_open_when_both_sides_have_an_ack() -> None:
    talk = Talk().say(True, 1, 1, MRU_1500).say(False, 2, 1, MRU_1500)
    assert talk.negotiation.opened is None
    talk.say(False, 1, 5).say(True, 2, 5)
    assert talk.negotiation.opened is not None
    assert talk.negotiation.opened.frame == 4


def test_an_answer_belongs_to_the_request_with_its_identifier() -> None:
    talk = (
        Talk().say(True, 1, 1, MRU_1500).say(True, 1, 2, MRU_1400).say(False, 3, 1, MRU_1400).say(False, 2, 2, MRU_1400)
    )
    client = talk.negotiation.client
    assert client.unanswered == []
    assert [item.packet.code for item in client.answers(Code.CONFIGURE_NAK)] == [3]
    assert client.value(1) == b"\x05\x78"
    assert client.asked(1) == [b"\x05\xdc", b"\x05\x78"]
    assert len(client.countered(1)) == 1
    assert client.refused(1) == []


def test_unanswered_requests_stay() -> None:
    talk = Talk().say(True, 1, 1).say(True, 1, 1).say(False, 2, 9)
    assert len(talk.negotiation.client.unanswered) == 2


def test_other_codes_are_kept_apart() -> None:
    talk = Talk().say(True, 5, 1, b"bye").say(False, 6, 1).say(True, 9, 2, b"\0" * 4)
    assert [item.packet.code for item in talk.negotiation.others] == [5, 6, 9]
    assert len(talk.negotiation.terminations) == 1
    assert talk.negotiation.seen
    assert talk.negotiation.first is None


def test_options_that_cannot_be_read_are_none() -> None:
    item = PppItem(Moment(0, 0, 1), True, Protocol.LCP, Packet(1, 1, b"\x01\x00"))
    assert options_of(item) == []
    assert find_option([], 1) is None
