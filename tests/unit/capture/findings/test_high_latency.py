from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_a_slow_handshake_and_slow_echoes(tmp_path: Path) -> None:
    scene = Scene(tick=0.4).up()
    assert "high-latency" in scene.findings(tmp_path)


def test_a_quick_line(tmp_path: Path) -> None:
    assert "high-latency" not in Scene().up().findings(tmp_path)


def test_echoes_tell_where_the_handshake_is_missing(tmp_path: Path) -> None:
    scene = Scene().lcp().authenticate().encrypt().address().talk()
    for number in range(4):
        scene.ppp(True, Protocol.LCP, 9, b"\x11\x11\x11\x11", number).wait(0.4)
        scene.ppp(False, Protocol.LCP, 10, b"\x22\x22\x22\x22", number)
    assert "LCP echo" in scene.findings(tmp_path)["high-latency"].why
