from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from support.scene import Scene


def lossy(every: int, total: int = 200) -> Scene:
    scene = Scene().up()
    for number in range(total):
        scene.lose(False) if number % every == 0 else scene.data(False)
        scene.data(True)
    return scene


def test_loss_in_one_direction(tmp_path: Path) -> None:
    found = lossy(10).findings(tmp_path)
    assert (found["gre-loss"].severity, found["gre-loss"].towards) == (Severity.WARNING, Towards.CLIENT)
    assert found["gre-loss"].evidence


def test_a_fifth_lost_is_a_fault(tmp_path: Path) -> None:
    assert lossy(4).findings(tmp_path)["gre-loss"].severity is Severity.FAULT


def test_little_loss_is_no_finding(tmp_path: Path) -> None:
    assert "gre-loss" not in lossy(150).findings(tmp_path)
