from pathlib import Path

from holdfast.capture.findings.base import Towards
from support.scene import Scene


def test_some_packets_twice(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(60):
        scene.data(True)
        if number % 6 == 0:
            scene.again()
        scene.data(False)
    found = scene.findings(tmp_path)
    assert found["gre-duplicates"].towards is Towards.SERVER
    assert "capture-duplicates" not in found


def test_every_packet_twice_is_the_capture(tmp_path: Path) -> None:
    scene = Scene().up()
    scene.frames = [frame for time, octets in scene.frames for frame in ((time, octets), (time + 0.0001, octets))]
    found = scene.findings(tmp_path)
    assert "gre-duplicates" not in found
    assert "capture-duplicates" in found
    assert scene.diagnosis(tmp_path).verdict == "healthy"
