from pathlib import Path

from support.scene import Scene


def test_by_word(tmp_path: Path) -> None:
    found = Scene().up().wait(100).goodbye(False, b"Link inactive").findings(tmp_path)
    assert found["idle-timeout"].certainty == 0.95


def test_by_the_clock_is_a_guess(tmp_path: Path) -> None:
    found = Scene().up().wait(60).goodbye(False).findings(tmp_path)
    assert found["idle-timeout"].certainty < 0.5


def test_not_after_traffic(tmp_path: Path) -> None:
    assert "idle-timeout" not in Scene().up().goodbye(False).findings(tmp_path)
