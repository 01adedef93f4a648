from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_required_and_rejected(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate()
    scene.configure(False, Protocol.CCP, 1, (18, b"\x01\x00\x00\x40"), identifier=5)
    scene.configure(True, Protocol.CCP, 4, (18, b"\x01\x00\x00\x40"), identifier=5)
    top = scene.goodbye(False, b"MPPE required but peer refused").top(tmp_path)
    assert (top.id, top.severity) == ("mppe-refused", Severity.FAULT)
    assert {741, 742} & set(top.entry.windows_codes)


def test_agreed_is_fine(tmp_path: Path) -> None:
    assert "mppe-refused" not in Scene().up().goodbye().findings(tmp_path)
