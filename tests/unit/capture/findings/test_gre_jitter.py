from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene, gre


def acknowledged(slow_every: int, slow: float = 0.6) -> Scene:
    scene = Scene().up()
    for number in range(120):
        sequence = scene.numbers[True]
        scene.data(True).wait(slow if number % slow_every == 0 else 0.02)
        scene.packet(False, 47, gre(scene.client_call, b"", None, sequence))
    return scene


def test_delays_that_vary(tmp_path: Path) -> None:
    assert acknowledged(10).findings(tmp_path)["gre-jitter"].severity is Severity.WARNING


def test_even_delays_are_fine(tmp_path: Path) -> None:
    assert "gre-jitter" not in acknowledged(1000).findings(tmp_path)


def test_acknowledgements_that_may_have_been_held_back_are_a_note(tmp_path: Path) -> None:
    assert acknowledged(10, 0.3).findings(tmp_path)["gre-jitter"].severity is Severity.NOTE
