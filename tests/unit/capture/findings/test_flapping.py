from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_again_and_again(tmp_path: Path) -> None:
    scenes = [Scene(port=40000 + number, now=1_700_000_000.0 + 60 * number).up().goodbye() for number in range(6)]
    found = scenes[0].together(*scenes[1:]).findings(tmp_path)
    assert found["flapping"].severity is Severity.WARNING


def test_twice_is_nothing(tmp_path: Path) -> None:
    first, second = (Scene(port=40000 + number, now=1_700_000_000.0 + 60 * number).up().goodbye() for number in (0, 1))
    assert "flapping" not in first.together(second).findings(tmp_path)
