from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_nonsense_is_rejected(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(4):
        scene.data(True).ppp(False, Protocol.LCP, 8, bytes((0x3A + number, 0x55)) + bytes(20), number)
    top = scene.top(tmp_path)
    assert (top.id, top.severity, top.towards) == ("mppe-desync", Severity.FAULT, Towards.SERVER)


def test_many_resets(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(5):
        scene.ppp(True, Protocol.CCP, 14, b"", number).ppp(False, Protocol.CCP, 15, b"", number)
    assert scene.findings(tmp_path)["mppe-desync"].severity is Severity.WARNING


def test_one_reset_is_a_note(tmp_path: Path) -> None:
    scene = Scene().up().ppp(True, Protocol.CCP, 14).ppp(False, Protocol.CCP, 15)
    assert scene.findings(tmp_path)["mppe-desync"].severity is Severity.NOTE


def test_rejecting_ipv6_is_harmless(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(3):
        scene.ppp(True, Protocol.LCP, 8, b"\x80\x57\x01\x01\x00\x04", number)
    assert scene.diagnosis(tmp_path).verdict == "healthy"
