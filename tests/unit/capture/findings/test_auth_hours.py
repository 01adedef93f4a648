from pathlib import Path

from support.scene import Scene


def test_error_646(tmp_path: Path) -> None:
    assert Scene().call().lcp().refuse(b"E=646 R=0 V=3").goodbye(False).top(tmp_path).id == "auth-hours"


def test_error_646_in_the_terminate_request_of_windows(tmp_path: Path) -> None:
    said = b"\x11\x11\x11\x11\x00\x3c\xcd\x74" + (646).to_bytes(4)
    found = Scene().call().lcp().refuse(b"").goodbye(False, said).findings(tmp_path)
    assert "auth-hours" in found
    assert "auth-rejected" not in found
