from pathlib import Path

from holdfast.capture.diagnosis import diagnose
from support.scene import Scene


def test_a_cut_file_is_said(tmp_path: Path) -> None:
    scene = Scene().up()
    path = scene.write(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    found = {finding.id: finding for finding in diagnose([str(path)]).judgement.all}
    assert "cut off" in found["capture-lost-frames"].why


def test_a_whole_one_is_not(tmp_path: Path) -> None:
    assert "capture-lost-frames" not in Scene().up().findings(tmp_path)
