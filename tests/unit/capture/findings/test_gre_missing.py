from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from holdfast.control.messages import EchoReply, EchoRequest
from support.scene import CLIENT, ROUTER, Scene


def other_traffic(scene: Scene) -> Scene:
    return scene.udp((CLIENT, 5353), (ROUTER, 53), b"question")


def test_a_call_without_any_gre(tmp_path: Path) -> None:
    top = other_traffic(Scene().call().wait(30).clear(True).hang_up(True)).top(tmp_path)
    assert (top.id, top.severity, top.towards) == ("gre-missing", Severity.FAULT, Towards.BOTH)


def test_a_capture_of_tcp_alone_is_judged_with_care(tmp_path: Path) -> None:
    found = Scene().call().wait(12).hang_up(True).findings(tmp_path)
    assert found["gre-missing"].severity is Severity.NOTE
    assert found["gre-missing"].certainty < 0.5
    assert "partial-capture" in found


def test_set_link_info_proves_the_contrary(tmp_path: Path) -> None:
    scene = Scene().call().wait(1).link_info(False, 0, 0xFFFFFFFF).wait(60)
    assert "gre-missing" not in scene.hang_up(True).findings(tmp_path)


def test_too_early_to_tell(tmp_path: Path) -> None:
    assert "gre-missing" not in Scene().call().wait(3).hang_up(True).findings(tmp_path)


def test_a_control_connection_that_lives_on_carries_a_session(tmp_path: Path) -> None:
    """A filter that leaves GRE out, and lets other things in."""
    scene = Scene().call()
    for number in range(4):
        scene.wait(60).say(True, EchoRequest(number)).say(False, EchoReply(number, 1, 0))
    found = other_traffic(scene).findings(tmp_path)
    assert "gre-missing" not in found
    assert "No GRE is in the capture" in found["partial-capture"].why
