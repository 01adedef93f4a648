from pathlib import Path

from holdfast.capture.findings.base import Severity
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
