from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_by_word(tmp_path: Path) -> None:
    found = Scene().up().goodbye(False, b"Connect time expired").findings(tmp_path)
    assert found["session-timeout"].severity is Severity.NOTE
    assert "server-ended" not in found
