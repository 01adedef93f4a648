from pathlib import Path

import pytest

from holdfast.capture.reading import read
from holdfast.capture.tcp import Conversation, reassemble
from holdfast.control.messages import EchoRequest, StartControlConnectionRequest
from support.scene import ACK, FIN, PSH, SYN, Scene

REQUEST = StartControlConnectionRequest(0x100, 3, 3, 0, 1, "client", "vendor").encode()
ECHO = EchoRequest(7).encode()


def conversation(scene: Scene, folder: Path) -> Conversation:
    (flow,) = read([str(scene.write(folder))]).control(10)
    return reassemble(flow)


def names(found: Conversation) -> list[str]:
    return [item.message.name for item in found.items]


def test_handshake_messages_and_end(tmp_path: Path) -> None:
    found = conversation(Scene().call().clear(True).hang_up(True), tmp_path)
    assert found.established is not None
    assert found.round_trip == pytest.approx(0.02)
    assert [name.split("-")[0] for name in names(found)] == ["Start", "Start", "Outgoing", "Outgoing", "Call"]
    assert found.ended is not None
    assert found.ended[1]
    assert (found.copied, found.holes, found.damaged) == ([], 0, 0)


@pytest.mark.parametrize("cut", [1, 2, 7, 8, 20, 155])
def test_a_message_in_two_segments(tmp_path: Path, cut: int) -> None:
    scene = Scene().handshake().tcp(True, ACK, REQUEST[:cut]).tcp(True, PSH | ACK, REQUEST[cut:])
    assert names(conversation(scene, tmp_path)) == ["Start-Control-Connection-Request"]


def test_several_messages_in_one_segment(tmp_path: Path) -> None:
    scene = Scene().handshake().tcp(True, PSH | ACK, REQUEST + ECHO + ECHO)
    assert names(conversation(scene, tmp_path)) == ["Start-Control-Connection-Request", "Echo-Request", "Echo-Request"]


def test_segments_in_the_wrong_order(tmp_path: Path) -> None:
    scene = Scene().handshake()
    begin = scene.tcp_numbers[True]
    scene.tcp(True, ACK, REQUEST[100:], sequence=begin + 100).tcp(True, ACK, REQUEST[:100], sequence=begin)
    assert names(conversation(scene, tmp_path)) == ["Start-Control-Connection-Request"]


def test_overlapping_segments(tmp_path: Path) -> None:
    scene = Scene().handshake()
    begin = scene.tcp_numbers[True]
    scene.tcp(True, ACK, REQUEST[:100], sequence=begin).tcp(True, ACK, REQUEST[50:] + ECHO, sequence=begin + 50)
    assert names(conversation(scene, tmp_path)) == ["Start-Control-Connection-Request", "Echo-Request"]


def test_a_retransmission_is_no_second_message(tmp_path: Path) -> None:
    scene = Scene().handshake()
    begin = scene.tcp_numbers[True]
    scene.tcp(True, ACK, REQUEST, sequence=begin).wait(0.3).tcp(True, ACK, REQUEST, sequence=begin)
    found = conversation(scene, tmp_path)
    assert len(found.items) == 1
    assert len(found.retransmissions[True]) == 1


def test_a_copy_of_the_capture_is_no_retransmission(tmp_path: Path) -> None:
    scene = Scene().handshake().tcp(True, PSH | ACK, REQUEST)
    found = conversation(scene.again(), tmp_path)
    assert (len(found.copied), found.retransmissions[True], len(found.items)) == (1, [], 1)


def test_a_hole_in_the_capture_is_skipped(tmp_path: Path) -> None:
    scene = Scene().handshake().tcp(True, PSH | ACK, REQUEST).tcp(True, PSH | ACK, ECHO).tcp(True, PSH | ACK, ECHO)
    del scene.frames[4]
    found = conversation(scene, tmp_path)
    assert names(found) == ["Start-Control-Connection-Request", "Echo-Request"]
    assert found.holes == 1


def test_a_beginning_in_the_middle_of_a_message(tmp_path: Path) -> None:
    scene = Scene().tcp(True, PSH | ACK, REQUEST[80:] + ECHO).tcp(True, PSH | ACK, ECHO)
    found = conversation(scene, tmp_path)
    assert names(found) == ["Echo-Request", "Echo-Request"]
    assert found.established is None


def test_a_damaged_segment_is_left_out_when_others_are_sound(tmp_path: Path) -> None:
    scene = Scene().handshake().tcp(True, PSH | ACK, REQUEST)
    damaged = bytearray(scene.frames[-1][1])
    damaged[-10] ^= 0xFF
    scene.frames[-1] = (scene.frames[-1][0], bytes(damaged))
    scene.tcp(True, PSH | ACK, REQUEST, sequence=1001)
    found = conversation(scene, tmp_path)
    assert found.damaged == 1
    assert len(found.items) == 1


def test_sequence_numbers_wrap(tmp_path: Path) -> None:
    scene = Scene(tcp_numbers={True: (1 << 32) - 100, False: 5})
    scene.tcp(True, SYN).tcp(False, SYN | ACK)
    begin = (1 << 32) - 99
    scene.tcp(True, ACK, REQUEST[:100], sequence=begin).tcp(True, ACK, REQUEST[100:], sequence=1)
    assert names(conversation(scene, tmp_path)) == ["Start-Control-Connection-Request"]


def test_what_is_no_message_is_a_fault(tmp_path: Path) -> None:
    found = conversation(Scene().handshake().tcp(True, PSH | ACK, b"GET / HTTP/1.0\r\n\r\n").tcp(True, FIN), tmp_path)
    assert found.items == []
    assert len(found.faults) == 1
    assert found.sketch[True].startswith(b"GET /")
