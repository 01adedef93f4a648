from pathlib import Path

from support.scene import Scene


def test_error_649(tmp_path: Path) -> None:
    assert Scene().call().lcp().refuse(b"E=649 R=0 V=3").goodbye(False).top(tmp_path).id == "auth-no-permission"
