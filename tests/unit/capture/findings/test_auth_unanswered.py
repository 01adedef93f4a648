from pathlib import Path

from holdfast.capture.findings.base import Towards
from support.scene import Scene


def test_no_verdict(tmp_path: Path) -> None:
    top = Scene().call().lcp().respond().wait(20).goodbye(True, b"").top(tmp_path)
    assert (top.id, top.towards) == ("auth-unanswered", Towards.CLIENT)


def test_a_quick_goodbye_is_something_else(tmp_path: Path) -> None:
    assert "auth-unanswered" not in Scene().call().lcp().respond().goodbye().findings(tmp_path)
