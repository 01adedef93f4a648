"""Headers around what was recorded."""

import struct

from holdfast.events import Direction
from holdfast.gre.codec import parse
from holdfast.observe.recorder_packets import LARGEST, Conversation, Ends, checksum

ENDS = Ends("192.0.2.9", "192.0.2.1", local_call_id=5, peer_call_id=6)


def test_checksum_of_rfc_1071():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert checksum(b"\x01") == 0xFEFF


def test_control_messages_are_one_stream_each_way():
    conversation = Conversation(ENDS)
    first = conversation.control(Direction.RECEIVED, b"abc")
    second = conversation.control(Direction.RECEIVED, b"de")
    answer = conversation.control(Direction.SENT, b"f")
    assert first[12:20] == answer[16:20] + answer[12:16] == bytes((192, 0, 2, 9, 192, 0, 2, 1))
    assert struct.unpack("!HHII", first[20:32]) == (49152, 1723, 1, 1)
    assert struct.unpack("!HHII", second[20:32]) == (49152, 1723, 4, 1)
    assert struct.unpack("!HHII", answer[20:32]) == (1723, 49152, 1, 6)
    assert first[40:] == b"abc"
    for packet in (first, second, answer):
        assert checksum(packet[:20]) == 0
        assert checksum(packet[12:20] + struct.pack("!HH", 6, len(packet) - 20) + packet[20:]) == 0


def test_frames_carry_the_call_id_of_who_receives_them():
    conversation = Conversation(ENDS)
    packet, original = conversation.frame(Direction.RECEIVED, b"\xc0\x21abc", 5)
    assert original == len(packet)
    gre = parse(packet[20:])
    assert gre is not None
    assert (gre.call_id, gre.sequence, gre.acknowledgment, gre.payload) == (5, 0, 0xFFFFFFFF, b"\xff\x03\xc0\x21abc")
    answer, _ = conversation.frame(Direction.SENT, b"\xc0\x21", 2)
    gre = parse(answer[20:])
    assert gre is not None
    assert (gre.call_id, gre.sequence, gre.acknowledgment) == (6, 0, 0)


def test_a_frame_that_was_cut_keeps_its_true_lengths():
    packet, original = Conversation(ENDS).frame(Direction.SENT, b"\x00\x21", 1000)
    assert original - len(packet) == 998
    assert int.from_bytes(packet[2:4]) == original
    assert packet.endswith(b"\xff\x03\x00\x21")


def test_nothing_is_too_large_or_too_strange_for_a_header():
    conversation = Conversation(Ends("", "not an address"))
    assert len(conversation.control(Direction.RECEIVED, bytes(100_000))) == LARGEST
    assert conversation.control(Direction.SENT, b"")[12:20] == bytes(8)
