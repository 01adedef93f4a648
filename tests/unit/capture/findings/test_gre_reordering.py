from pathlib import Path

from holdfast.capture.findings.base import Towards
from support.scene import Scene


def test_packets_that_overtake(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(30):
        first = scene.numbers[True]
        scene.numbers[True] += 2
        pair = (first + 1, first) if number % 3 == 0 else (first, first + 1)
        for sequence in pair:
            scene.gre(True, b"\x00\xfd\x90\x00" + bytes(50), sequence)
    found = scene.findings(tmp_path)
    assert found["gre-reordering"].towards is Towards.SERVER
    assert "gre-loss" not in found


def test_order_is_fine(tmp_path: Path) -> None:
    assert "gre-reordering" not in Scene().up().talk(100, 0.01).findings(tmp_path)
