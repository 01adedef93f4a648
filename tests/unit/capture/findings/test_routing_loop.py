from pathlib import Path

from support.scene import SYN, Scene


def test_time_exceeded(tmp_path: Path) -> None:
    scene = Scene()
    for _ in range(3):
        scene.tcp(True, SYN, sequence=1000).icmp(11, 0).wait(1)
    top = scene.top(tmp_path)
    assert (top.id, top.certainty) == ("routing-loop", 0.9)
