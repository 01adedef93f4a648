from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_everybody_may_come_in(tmp_path: Path) -> None:
    found = Scene().call().lcp(b"").encrypt().address().talk().findings(tmp_path)
    assert found["no-authentication"].severity is Severity.WARNING


def test_asked_and_answered(tmp_path: Path) -> None:
    assert "no-authentication" not in Scene().up().findings(tmp_path)
