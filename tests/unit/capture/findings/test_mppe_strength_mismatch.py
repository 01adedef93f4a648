from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_no_strength_in_common(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate()
    for number in range(3):
        scene.configure(True, Protocol.CCP, 1, (18, b"\x01\x00\x00\x20"), identifier=number)
        scene.configure(False, Protocol.CCP, 3, (18, b"\x01\x00\x00\x40"), identifier=number)
        scene.configure(False, Protocol.CCP, 1, (18, b"\x01\x00\x00\x40"), identifier=number)
        scene.configure(True, Protocol.CCP, 3, (18, b"\x01\x00\x00\x20"), identifier=number)
    top = scene.goodbye(False, b"MPPE required but peer negotiation failed").top(tmp_path)
    assert top.id == "mppe-strength-mismatch"
    assert "40" in top.why
    assert "128" in top.why
