from pathlib import Path

from holdfast.capture.findings.base import Towards
from support.scene import ACK, PSH, RST, Scene


def test_a_reset_without_goodbye(tmp_path: Path) -> None:
    top = Scene().up().wait(60).tcp(False, RST).talk(3).top(tmp_path)
    assert (top.id, top.towards) == ("control-lost", Towards.CLIENT)


def test_tcp_goes_silent_while_gre_lives(tmp_path: Path) -> None:
    scene = Scene().up()
    message = b"\x00\x10\x00\x01\x1a\x2b\x3c\x4d\x00\x05\x00\x00\x00\x00\x00\x01"
    number = scene.tcp_numbers[True]
    for attempt in range(5):
        scene.tcp(True, PSH | ACK, message, sequence=number).talk(2).wait(2.0**attempt)
    assert "control-lost" in scene.talk(10, pause=1).findings(tmp_path)


def test_a_goodbye_is_no_loss(tmp_path: Path) -> None:
    assert "control-lost" not in Scene().up().goodbye().tcp(False, RST).findings(tmp_path)
