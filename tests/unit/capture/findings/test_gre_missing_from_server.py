from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def client_alone() -> Scene:
    scene = Scene().call()
    for _ in range(10):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(3)
    return scene.clear(True).hang_up(True)


def test_only_the_client_speaks(tmp_path: Path) -> None:
    top = client_alone().top(tmp_path)
    assert (top.id, top.severity, top.towards) == ("gre-missing-from-server", Severity.FAULT, Towards.CLIENT)
    assert 806 in top.entry.windows_codes


def test_a_client_that_is_deaf_behind_the_capture_point(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(5):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).configure(False, Protocol.LCP, 2, (5, b"abcd"))
        scene.configure(False, Protocol.LCP, 1, (5, b"efgh"), identifier=9).wait(3)
    assert scene.clear(True).hang_up(True).top(tmp_path).id == "gre-missing-from-server"


def test_two_seconds_prove_nothing(tmp_path: Path) -> None:
    scene = Scene().call().configure(True, Protocol.LCP, 1).wait(1).configure(True, Protocol.LCP, 1)
    assert "gre-missing-from-server" not in scene.findings(tmp_path)


def test_who_asks_often_need_not_ask_for_long(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(4):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(0.8)
    assert scene.clear(True).hang_up(True).top(tmp_path).id == "gre-missing-from-server"


def test_who_hears_nothing_answers_nothing(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(3):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).configure(False, Protocol.LCP, 2, (5, b"abcd"))
        scene.configure(False, Protocol.LCP, 1, (5, b"efgh"), identifier=9).wait(1.1)
    assert scene.clear(True).hang_up(True).top(tmp_path).id == "gre-missing-from-server"
