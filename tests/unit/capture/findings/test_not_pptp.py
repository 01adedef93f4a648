from pathlib import Path

import pytest

from holdfast.capture.case import build
from holdfast.capture.findings.base import Severity
from holdfast.capture.findings.catalogue import judge
from holdfast.capture.reading import read
from support.scene import ACK, PSH, Scene, pcap


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


def test_what_the_snap_length_cut_before_the_cookie_proves_nothing(tmp_path: Path) -> None:
    scene = Scene().call().lcp().refuse().goodbye(False)
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap(scene.frames, snap=60))
    assert "not-pptp" not in {finding.id for finding in judge(build(read([str(path)]))).all}
