from pathlib import Path

import pytest

from holdfast.capture.findings.base import Severity
from support.scene import Scene, gre

Frames = list[tuple[float, bool, bytes]]


def told(slow: float, *, packets: int = 300, every: float = 0.02, size: int = 160, steady: bool = True) -> Scene:
    """The client sends without pause, the server confirms each packet at once; from 100 to 140 the way is slow.

    When not `steady`, the server keeps what it has to confirm for that long.
    """
    scene = Scene().up()
    start, first, tick = scene.now, scene.numbers[True], scene.tick
    frames: Frames = []
    for number in range(packets):
        sent = start + number * every
        frames.append((sent, True, gre(scene.server_call, b"\0\xfd\x90\0" + bytes(size), first + number)))
        late = slow if 100 <= number < 140 else 0.0
        if steady or not late:
            came = sent + 0.03 + late
            frames.append((came, False, gre(scene.client_call, b"", None, first + number)))
    if not steady:
        frames.append((start + 139 * every + slow, False, gre(scene.client_call, b"", None, first + 139)))
    scene.tick = 0.0
    for now, up, packet in sorted(frames, key=lambda each: each[0]):
        scene.now = now
        scene.packet(up, 47, packet)
    scene.tick = tick
    return scene


@pytest.mark.parametrize(("slow", "severity"), [(0.9, Severity.WARNING), (0.35, Severity.NOTE)])
def test_delays_that_vary(tmp_path: Path, slow: float, severity: Severity) -> None:
    assert told(slow).findings(tmp_path)["gre-jitter"].severity is severity


def test_even_delays_are_fine(tmp_path: Path) -> None:
    assert "gre-jitter" not in told(0.0).findings(tmp_path)


def test_a_transfer_that_fills_the_line_is_well(tmp_path: Path) -> None:
    diagnosis = told(0.9, size=1300).diagnosis(tmp_path)
    assert diagnosis.verdict == "healthy"
    (jitter,) = [each for each in diagnosis.judgement.all if each.id == "gre-jitter"]
    assert "large transfer" in jitter.why


def test_an_end_that_stood_still_is_no_slow_way(tmp_path: Path) -> None:
    assert "gre-jitter" not in told(0.9, steady=False).findings(tmp_path)


def test_acknowledgements_that_wait_for_data_are_no_slow_way(tmp_path: Path) -> None:
    """Linux' kernel confirms only along with data of its own."""
    scene = Scene().up()
    for number in range(120):
        for up in (True, False):
            scene.gre(up, b"\0\xfd\x90\0" + bytes(100), None, scene.numbers[not up] - 1).wait(0.02)
        scene.wait(6 if number % 8 == 0 else 0)
        scene.gre(False, b"\0\xfd\x90\0" + bytes(100), None, scene.numbers[True] - 1)
    assert scene.diagnosis(tmp_path).verdict == "healthy"
