from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_clear_although_encryption_was_agreed(tmp_path: Path) -> None:
    top = Scene().up().data(True, clear=True).top(tmp_path)
    assert (top.id, top.severity) == ("cleartext-data", Severity.FAULT)


def test_no_encryption_at_all_is_a_warning(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().address().data(True, clear=True).data(False, clear=True)
    assert scene.findings(tmp_path)["cleartext-data"].severity is Severity.WARNING
