from pathlib import Path

from holdfast.capture.findings.base import Towards
from support.scene import Scene


def test_a_large_packet_again_and_again(tmp_path: Path) -> None:
    scene = Scene().up()
    pause = 0.3
    for _ in range(6):
        scene.data(False, 1396).wait(pause)
        pause *= 2
    top = scene.top(tmp_path)
    assert (top.id, top.towards) == ("mtu-black-hole", Towards.CLIENT)


def test_a_download_is_none(tmp_path: Path) -> None:
    scene = Scene().up()
    for _ in range(40):
        scene.data(False, 1396).data(True, 40)
    assert "mtu-black-hole" not in scene.findings(tmp_path)
