from pathlib import Path

from holdfast.capture.findings.base import Towards
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_only_the_server_speaks(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(10):
        scene.configure(False, Protocol.LCP, 1, (5, b"abcd")).wait(3)
    top = scene.clear(False).hang_up(False).top(tmp_path)
    assert (top.id, top.towards) == ("gre-missing-from-client", Towards.SERVER)


def test_a_server_that_is_deaf_behind_the_capture_point(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(5):
        scene.configure(False, Protocol.LCP, 1, (5, b"abcd")).configure(True, Protocol.LCP, 2, (5, b"abcd"))
        scene.configure(True, Protocol.LCP, 1, (5, b"efgh"), identifier=9).wait(3)
    assert scene.clear(True).hang_up(True).top(tmp_path).id == "gre-missing-from-client"
