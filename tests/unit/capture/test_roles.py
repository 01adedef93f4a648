from holdfast.capture.moment import Moment
from holdfast.capture.ppp_trace import PppItem
from holdfast.capture.roles import server_side
from holdfast.ppp.framing import Protocol
from holdfast.ppp.packet import Packet


def item(from_client: bool, protocol: Protocol, code: int, data: bytes = b"") -> PppItem:
    return PppItem(Moment(0, 0, 1), from_client, protocol, Packet(code, 1, data))


def test_who_asks_for_authentication_is_the_server() -> None:
    asks = b"\x03\x05\xc2\x23\x81"
    assert server_side([item(True, Protocol.LCP, 1, asks)]) is True
    assert server_side([item(False, Protocol.LCP, 1, asks)]) is False


def test_who_challenges_hands_out_and_judges_is_the_server() -> None:
    assert server_side([item(True, Protocol.CHAP, 1)]) is True
    assert server_side([item(True, Protocol.PAP, 2)]) is True
    assert server_side([item(True, Protocol.IPCP, 3, b"\x03\x06\x0a\0\0\1")]) is True


def test_who_responds_is_the_client() -> None:
    assert server_side([item(True, Protocol.CHAP, 2), item(True, Protocol.PAP, 1)]) is False
    assert server_side([item(True, Protocol.LCP, 12, bytes(4) + b"MSRASV5.20")]) is False


def test_nothing_tells_nothing() -> None:
    assert server_side([]) is None
    assert server_side([item(True, Protocol.LCP, 9, bytes(4))]) is None
