import struct

from holdfast.capture.inner_traffic import Inner, take_apart, unanswered
from holdfast.capture.inside import InnerPacket, Inside
from holdfast.capture.moment import Moment
from support.scene import ip

CLIENT, FAR = "10.77.0.2", "10.0.0.5"


def tcp(ports: tuple[int, int], flags: int, options: bytes = b"") -> bytes:
    offset = (20 + len(options)) // 4 << 4
    return struct.pack("!HHIIBBHHH", *ports, 1, 1, offset, flags, 1000, 0, 0) + options


def packets(*found: tuple[bool, bytes]) -> list[Inner]:
    made = [InnerPacket(Moment(number, 0, number), up, octets) for number, (up, octets) in enumerate(found, 1)]
    return take_apart(Inside(packets=made))


def up(protocol: int, payload: bytes, to: str = FAR) -> tuple[bool, bytes]:
    return True, ip(CLIENT, to, protocol, payload)


def down(protocol: int, payload: bytes) -> tuple[bool, bytes]:
    return False, ip(FAR, CLIENT, protocol, payload)


def test_what_wants_an_answer() -> None:
    ping, syn = up(1, b"\x08\0" + bytes(10)), up(6, tcp((999, 80), 2))
    question = up(17, struct.pack("!HHHH", 999, 53, 12, 0) + bytes(4))
    assert all(packet.wants_answer for packet in packets(ping, syn, question))
    other = up(17, struct.pack("!HHHH", 999, 137, 12, 0) + bytes(4))
    broadcast = up(1, b"\x08\0" + bytes(10), "255.255.255.255")
    assert not any(packet.wants_answer for packet in packets(other, broadcast, up(6, tcp((999, 80), 16))))


def test_answers_go_back_the_same_way() -> None:
    found = packets(
        up(6, tcp((999, 80), 2)), down(6, tcp((80, 999), 18)), up(6, tcp((998, 80), 2)), down(6, tcp((80, 111), 18))
    )
    assert [packet.source_port for packet in unanswered(found)] == [998]
    assert found[1].answers(found[0])
    assert not found[3].answers(found[0])


def test_the_segment_size_of_a_syn() -> None:
    (packet,) = packets(up(6, tcp((1, 2), 2, b"\x01\x01\x02\x04\x05\xb4\x00\x00")))
    assert packet.segment_size == 1460
    for options in (b"\x05\x00\x02\x04", b"\x01\x01\x01\x05", b"\x00\x02\x04\x05"):
        assert packets(up(6, tcp((1, 2), 2, options)))[0].segment_size is None


def test_what_is_too_short_is_left_out() -> None:
    assert packets((True, b"\x45" + bytes(10)), (True, b"\x60" + bytes(60))) == []
