from pathlib import Path

from support.scene import Scene


def test_the_client_leaves_after_success(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().goodbye(True, b"MS-CHAPv2 mutual authentication failed")
    top = scene.top(tmp_path)
    assert (top.id, top.certainty) == ("auth-mutual-failed", 0.9)


def test_going_on_is_no_failure(tmp_path: Path) -> None:
    assert "auth-mutual-failed" not in Scene().up().goodbye().findings(tmp_path)
