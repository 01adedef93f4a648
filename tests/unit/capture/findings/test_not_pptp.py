from pathlib import Path

import pytest

from holdfast.capture.findings.base import Severity
from support.scene import ACK, PSH, Scene


@pytest.mark.parametrize(
    ("answer", "name"),
    [(b"HTTP/1.0 400 Bad Request\r\n", "HTTP"), (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"), (b"???", "cookie")],
)
def test_another_protocol(tmp_path: Path, answer: bytes, name: str) -> None:
    scene = Scene().handshake().tcp(True, PSH | ACK, b"hello\r\n").tcp(False, PSH | ACK, answer).hang_up(False)
    top = scene.top(tmp_path)
    assert (top.id, top.severity) == ("not-pptp", Severity.FAULT)
    assert name in top.why


def test_pptp_is_pptp(tmp_path: Path) -> None:
    assert "not-pptp" not in Scene().up().goodbye().findings(tmp_path)
