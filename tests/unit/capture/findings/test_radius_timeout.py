from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene

NAS, RADIUS = ("10.0.0.1", 40000), ("10.0.0.2", 1812)
REQUEST = b"\x01\x07\x00\x1b" + bytes(16) + b"\x01\x07alice"


def test_no_answer(tmp_path: Path) -> None:
    scene = Scene().call().lcp().respond()
    for _ in range(3):
        scene.udp(NAS, RADIUS, REQUEST).wait(5)
    top = scene.goodbye(True, b"").top(tmp_path)
    assert (top.id, top.severity) == ("radius-timeout", Severity.FAULT)
    assert 930 in top.entry.windows_codes


def test_an_answer(tmp_path: Path) -> None:
    scene = Scene().call().lcp().respond().udp(NAS, RADIUS, REQUEST)
    scene.udp(RADIUS, NAS, b"\x02\x07\x00\x14" + bytes(16))
    assert "radius-timeout" not in scene.findings(tmp_path)


def test_the_refusal_that_follows_is_its_consequence(tmp_path: Path) -> None:
    scene = Scene().call().lcp().respond()
    for _ in range(3):
        scene.udp(NAS, RADIUS, REQUEST).wait(5)
    found = scene.refuse(b"E=691 R=0").goodbye(False, b"").findings(tmp_path)
    assert "radius-timeout" in found
    assert "auth-rejected" not in found
