from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_an_end_that_nothing_explains(tmp_path: Path) -> None:
    scene = Scene().call().lcp().clear(False).hang_up(False)
    top = scene.top(tmp_path)
    assert (top.id, top.severity) == ("stopped-early", Severity.WARNING)


def test_an_explained_end_needs_no_more(tmp_path: Path) -> None:
    assert "stopped-early" not in Scene().call().lcp().refuse().goodbye(False).findings(tmp_path)


def test_without_gre_in_the_capture_nobody_knows(tmp_path: Path) -> None:
    assert Scene().call().wait(3).clear(True).hang_up(True).diagnosis(tmp_path).verdict == "healthy"
