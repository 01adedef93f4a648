from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from support.scene import ACK, RST, SERVER, SYN, Scene


def test_a_reset_is_a_refusal(tmp_path: Path) -> None:
    top = Scene().tcp(True, SYN).tcp(False, RST | ACK).top(tmp_path)
    assert (top.id, top.severity, top.towards) == ("control-refused", Severity.FAULT, Towards.CLIENT)
    assert {808, 800} <= set(top.entry.windows_codes)
    assert top.filter == "frame.number == 1 || frame.number == 2"


def test_icmp_port_unreachable_is_one_too(tmp_path: Path) -> None:
    assert Scene().tcp(True, SYN).icmp(3, 3, source=SERVER).top(tmp_path).id == "control-refused"


def test_a_reset_after_the_handshake_is_not(tmp_path: Path) -> None:
    assert "control-refused" not in Scene().handshake().tcp(False, RST).findings(tmp_path)
