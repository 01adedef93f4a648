from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_refused_and_ended(tmp_path: Path) -> None:
    scene = Scene().call().agree(True, Protocol.LCP, (5, b"abcd"))
    for number in (8, 9):
        scene.configure(False, Protocol.LCP, 1, (1, b"\x00\x80"), identifier=number)
        scene.configure(True, Protocol.LCP, 3, (1, b"\x05\x78"), identifier=number)
    assert scene.goodbye(True, b"").top(tmp_path).id == "lcp-no-agreement"
