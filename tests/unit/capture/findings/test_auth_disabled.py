from pathlib import Path

from support.scene import Scene


def test_error_647(tmp_path: Path) -> None:
    assert Scene().call().lcp().refuse(b"E=647 R=0 V=3").goodbye(False).top(tmp_path).id == "auth-disabled"
