from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_an_unanswered_ping_in_clear(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().address()
    for _ in range(8):
        scene.data(True, clear=True).wait(1)
    top = scene.top(tmp_path)
    assert (top.id, top.severity) == ("no-return-traffic", Severity.FAULT)


def test_an_unanswered_ping_under_encryption(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().address()
    for _ in range(8):
        scene.data(True, 84).wait(0.99)
    assert scene.top(tmp_path).id == "no-return-traffic"


def test_a_few_packets_prove_nothing(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().address()
    for size in (100, 120, 96):
        scene.data(True, size).wait(1)
    assert scene.diagnosis(tmp_path).verdict == "healthy"


def test_a_connection_that_nobody_accepts(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().address()
    for pause in (1, 2, 4, 1, 1, 2, 4):
        scene.data(True, 60).wait(pause)
    top = scene.goodbye().top(tmp_path)
    assert top.id == "no-return-traffic"
    assert "growing pauses" in top.why


def test_windows_asks_dhcp_in_vain_and_is_well(tmp_path: Path) -> None:
    """DHCPINFORM is repeated with growing pauses; a server without DHCP does not answer it."""
    scene = Scene().call().lcp().authenticate().encrypt().address()
    for pause in (4, 8, 16, 32):
        scene.data(True, 332).wait(pause)
    scene.data(True, 332).wait(1)
    assert "no-return-traffic" not in scene.findings(tmp_path)


def test_a_stream_needs_no_answer(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().address()
    for number in range(60):
        scene.data(True, 900 + number % 7).wait(0.3)
    assert "no-return-traffic" not in scene.findings(tmp_path)
