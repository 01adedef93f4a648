from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from support.scene import Scene


def outage(seconds: float, *, resumes: bool = True) -> Scene:
    scene = Scene().up().talk(30, 0.1)
    for _ in range(int(seconds / 0.1)):
        scene.data(True).wait(0.09)
    return scene.talk(30, 0.1) if resumes else scene


def test_seconds_without_a_word_in_return(tmp_path: Path) -> None:
    found = outage(5).findings(tmp_path)
    assert (found["gre-interrupted"].severity, found["gre-interrupted"].towards) == (Severity.WARNING, Towards.BOTH)


def test_a_short_one_and_one_without_end_are_none(tmp_path: Path) -> None:
    assert "gre-interrupted" not in outage(2).findings(tmp_path)
    assert "gre-interrupted" not in outage(20, resumes=False).findings(tmp_path)


def test_when_both_rest_nothing_is_wrong(tmp_path: Path) -> None:
    assert "gre-interrupted" not in Scene().up().talk(30, 0.1).wait(60).talk(30, 0.1).findings(tmp_path)
