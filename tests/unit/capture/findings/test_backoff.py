from pathlib import Path

from holdfast.capture.findings.backoff import longest_backoff
from support.scene import Scene


def lengths(scene: Scene, folder: Path) -> int:
    (session,) = scene.case(folder).sessions
    return len(longest_backoff(frame for flow in session.up for frame in flow.data))


def test_growing_pauses_of_one_size(tmp_path: Path) -> None:
    scene = Scene().call().lcp()
    for pause in (1, 2, 4, 8):
        scene.data(True, 60).wait(pause)
    assert lengths(scene, tmp_path) == 4


def test_steady_pauses_are_none(tmp_path: Path) -> None:
    scene = Scene().call().lcp()
    for _ in range(6):
        scene.data(True, 60).wait(1)
    assert lengths(scene, tmp_path) == 2
