from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_the_server_hangs_up_without_a_word(tmp_path: Path) -> None:
    scene = Scene().call().configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(0.9).hang_up(False)
    found = scene.findings(tmp_path)
    assert scene.top(tmp_path).id == "server-link-died"
    assert "gre-missing-from-server" not in found


def test_not_when_the_client_hangs_up(tmp_path: Path) -> None:
    scene = Scene().call().configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(0.9).hang_up(True)
    assert "server-link-died" not in scene.findings(tmp_path)
