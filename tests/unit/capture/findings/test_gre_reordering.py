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


def test_a_capture_that_was_not_written_in_order(tmp_path: Path) -> None:
    """Several sources, written down in turns: by their times the packets are in order."""
    scene = Scene().up().talk(60, 0.01)
    for place in range(len(scene.frames) - 90, len(scene.frames) - 4, 8):
        scene.frames[place], scene.frames[place + 2] = scene.frames[place + 2], scene.frames[place]
    assert "gre-reordering" not in scene.findings(tmp_path)


def test_the_second_half_first(tmp_path: Path) -> None:
    """Two files put together in the wrong order."""
    scene = Scene().up().talk(60, 0.01)
    scene.frames = scene.frames[80:] + scene.frames[:80]
    assert "gre-reordering" not in scene.findings(tmp_path)
