from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_mppe_disabled_says_nothing(tmp_path: Path) -> None:
    found = Scene().up().goodbye(True).findings(tmp_path)
    assert found["client-ended"].severity is Severity.NOTE
    assert "server-ended" not in found
