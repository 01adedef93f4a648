from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_mppe_disabled_says_nothing(tmp_path: Path) -> None:
    found = Scene().up().goodbye(False).findings(tmp_path)
    assert found["server-ended"].severity is Severity.NOTE
    assert "client-ended" not in found
