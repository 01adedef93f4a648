from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_stateless_here_stateful_there(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate()
    for number in range(3):
        scene.configure(True, Protocol.CCP, 1, (18, b"\x01\x00\x00\x40"), identifier=number)
        scene.configure(False, Protocol.CCP, 4, (18, b"\x01\x00\x00\x40"), identifier=number)
        scene.configure(False, Protocol.CCP, 1, (18, b"\x00\x00\x00\x40"), identifier=number)
        scene.configure(True, Protocol.CCP, 4, (18, b"\x00\x00\x00\x40"), identifier=number)
    found = scene.goodbye(False, b"Refusing MPPE stateful mode offered by peer").findings(tmp_path)
    assert "mppe-mode-mismatch" in found
    assert "mppe-refused" not in found
