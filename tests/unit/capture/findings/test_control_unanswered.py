from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from holdfast.control.messages import StartControlConnectionReply, StartControlConnectionRequest
from support.scene import ACK, FIN, RST, Scene

REQUEST = StartControlConnectionRequest(0x100, 3, 3, 0, 1, "", "")


def test_a_request_into_nothing(tmp_path: Path) -> None:
    scene = Scene().handshake().say(True, REQUEST).tcp(False, ACK).wait(12).hang_up(True)
    top = scene.top(tmp_path)
    assert (top.id, top.severity) == ("control-unanswered", Severity.FAULT)


def test_an_answer_is_an_answer(tmp_path: Path) -> None:
    assert "control-unanswered" not in Scene().control().wait(12).hang_up(True).findings(tmp_path)


def test_an_answer_after_the_client_gave_up_is_none(tmp_path: Path) -> None:
    scene = Scene().handshake().say(True, REQUEST).tcp(False, ACK).wait(12).tcp(True, FIN | ACK).wait(10)
    reply = StartControlConnectionReply(0x100, 1, 0, 3, 3, 0, 1, "server", "vendor")
    assert scene.say(False, reply).tcp(True, RST).top(tmp_path).id == "control-unanswered"


def test_a_request_that_is_lost_before_the_server_is_seen_by_the_numbers_of_what_follows(tmp_path: Path) -> None:
    scene = Scene().handshake().wait(8)
    received = scene.tcp_numbers[True]
    scene.tcp_numbers[True] += 156
    scene.tcp(True, FIN | ACK)
    scene.tcp_numbers[True] = received
    scene.tcp(False, ACK).wait(2).tcp(False, FIN | ACK)
    top = scene.top(tmp_path)
    assert (top.id, top.towards) == ("control-unanswered", Towards.SERVER)
    assert "156 octets" in top.why


def test_a_server_that_waits_in_vain_for_the_lost_request_too(tmp_path: Path) -> None:
    scene = Scene().handshake().wait(10).tcp(False, FIN | ACK)
    scene.tcp_numbers[True] += 156
    assert scene.tcp(True, ACK).top(tmp_path).id == "control-unanswered"


def test_a_reply_that_is_lost_before_the_client(tmp_path: Path) -> None:
    scene = Scene().handshake().say(True, REQUEST).tcp(False, ACK).wait(8)
    received = scene.tcp_numbers[False]
    scene.tcp_numbers[False] += 156
    scene.tcp(False, FIN | ACK)
    scene.tcp_numbers[False] = received
    scene.tcp(True, ACK)
    top = scene.top(tmp_path)
    assert (top.id, top.towards) == ("control-unanswered", Towards.CLIENT)
    assert "156 octets" in top.why


def test_what_only_the_capture_missed_was_acknowledged_and_is_no_fault_of_the_path(tmp_path: Path) -> None:
    scene = Scene().handshake()
    scene.tcp_numbers[True] += 156
    scene.tcp(False, ACK).wait(1).hang_up(True)
    assert "control-unanswered" not in scene.findings(tmp_path)


def test_a_client_that_waited_a_while_waited_in_vain(tmp_path: Path) -> None:
    scene = Scene().handshake().say(True, REQUEST).tcp(False, ACK).wait(4).hang_up(True)
    assert scene.top(tmp_path).id == "control-unanswered"


def test_one_that_leaves_at_once_did_not_wait(tmp_path: Path) -> None:
    scene = Scene().handshake().say(True, REQUEST).tcp(False, ACK).wait(1).hang_up(True)
    assert "control-unanswered" not in scene.findings(tmp_path)
