from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_wrong_password(tmp_path: Path) -> None:
    top = Scene().call().lcp().refuse().goodbye(False, b"Authentication failed").top(tmp_path)
    assert (top.id, top.severity, top.entry.windows_codes) == ("auth-rejected", Severity.FAULT, (691,))
    assert "alice" in top.why


def test_pap(tmp_path: Path) -> None:
    scene = (
        Scene()
        .call()
        .lcp(b"\xc0\x23")
        .ppp(True, Protocol.PAP, 1, b"\x03bob\x02pw")
        .ppp(False, Protocol.PAP, 3, b"\x02no")
    )
    found = scene.goodbye(False, b"Authentication failed").findings(tmp_path)
    assert found["auth-rejected"].severity is Severity.FAULT
    assert "pw" not in found["auth-rejected"].why


def test_right_at_the_second_try(tmp_path: Path) -> None:
    scene = Scene().call().lcp().refuse(b"E=691 R=1 C=00000000000000000000000000000000 V=3")
    assert scene.authenticate().encrypt().address().talk().diagnosis(tmp_path).verdict == "healthy"
