from pathlib import Path

from holdfast.capture.case import build
from holdfast.capture.findings.base import Severity
from holdfast.capture.findings.catalogue import judge
from holdfast.capture.reading import read
from support.scene import CLIENT, SERVER, Scene, pcap


def test_an_end_that_nothing_explains(tmp_path: Path) -> None:
    scene = Scene().call().lcp().clear(False).hang_up(False)
    top = scene.top(tmp_path)
    assert (top.id, top.severity) == ("stopped-early", Severity.WARNING)


def test_an_explained_end_needs_no_more(tmp_path: Path) -> None:
    assert "stopped-early" not in Scene().call().lcp().refuse().goodbye(False).findings(tmp_path)


def test_without_gre_in_the_capture_nobody_knows(tmp_path: Path) -> None:
    assert Scene().call().wait(3).clear(True).hang_up(True).diagnosis(tmp_path).verdict == "healthy"


def test_who_hangs_up_at_once_before_any_gre(tmp_path: Path) -> None:
    scene = Scene().call().wait(0.1).clear(True).hang_up(True).udp((CLIENT, 1), (SERVER, 2), b"")
    found = scene.findings(tmp_path)
    assert "The client ended it" in found["stopped-early"].why
    assert "stopped-early" not in Scene().call().wait(0.1).clear(True).hang_up(True).findings(tmp_path)


def test_who_asked_in_vain_is_told(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate()
    for _ in range(3):
        scene.configure(False, 0x80FD, 1, (18, b"\1\0\0\x40")).wait(3)
    why = scene.hang_up(True).findings(tmp_path)["stopped-early"].why
    assert "The server asked 3 times by CCP" in why


def test_how_far_it_got_is_not_known_where_the_messages_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap(Scene().call().lcp().refuse().goodbye(False).frames, snap=60))
    found = {finding.id: finding for finding in judge(build(read([str(path)]))).all}
    assert "stopped-early" not in found
    assert found.keys() & {"partial-capture", "capture-lost-frames"}
