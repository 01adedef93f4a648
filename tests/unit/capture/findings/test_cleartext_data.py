from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_clear_although_encryption_was_agreed(tmp_path: Path) -> None:
    top = Scene().up().data(True, clear=True).top(tmp_path)
    assert (top.id, top.severity) == ("cleartext-data", Severity.FAULT)


def test_no_encryption_at_all_is_a_warning(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().address().data(True, clear=True).data(False, clear=True)
    assert scene.findings(tmp_path)["cleartext-data"].severity is Severity.WARNING


def test_what_was_agreed_before_the_capture_is_not_known(tmp_path: Path) -> None:
    why = Scene().data(True, clear=True).findings(tmp_path)["cleartext-data"].why
    assert why.startswith("1 packet goes")
    assert "does not show" in why
