from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_a_looped_line(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(3):
        for up in (True, False):
            scene.configure(up, Protocol.LCP, 1, (5, b"same")).wait(1)
    assert scene.hang_up(True).findings(tmp_path)["lcp-loop"].certainty == 0.9


def test_endless_refusals(tmp_path: Path) -> None:
    scene = Scene().call()
    for number in range(8):
        scene.configure(True, Protocol.LCP, 1, (1, b"\x05\xdc"), identifier=number)
        scene.configure(False, Protocol.LCP, 3, (1, b"\x05\x78"), identifier=number)
    assert scene.hang_up(True).top(tmp_path).id == "lcp-loop"
