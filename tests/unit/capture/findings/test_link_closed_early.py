from pathlib import Path

from support.scene import Scene


def test_opened_and_closed_by_word_alone(tmp_path: Path) -> None:
    scene = Scene().call().wait(1).link_info(False, 0, 0xFFFFFFFF).wait(1).link_info(False, 0xFFFFFFFF, 0xFFFFFFFF)
    found = scene.clear(True).hang_up(True).findings(tmp_path)
    assert scene.top(tmp_path).id == "link-closed-early"
    assert "partial-capture" in found
    assert "gre-missing" not in found


def test_a_long_session_is_none(tmp_path: Path) -> None:
    scene = Scene().call().link_info(False, 0, 0xFFFFFFFF).wait(3600).link_info(False, 0xFFFFFFFF, 0xFFFFFFFF)
    assert "link-closed-early" not in scene.clear(True).hang_up(True).findings(tmp_path)
