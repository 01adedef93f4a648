from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_old_packets_come_again(tmp_path: Path) -> None:
    scene = Scene().up()
    old = [octets for _, octets in scene.frames[-10:]]
    scene.talk(50).wait(60)
    for octets in old:
        scene.frame(octets)
    assert scene.findings(tmp_path)["replay"].severity is Severity.WARNING


def test_a_copy_at_once_is_no_replay(tmp_path: Path) -> None:
    assert "replay" not in Scene().up().data(True).again().again().again().again().findings(tmp_path)
