from pathlib import Path

from support.scene import SYN, Scene


def test_time_exceeded(tmp_path: Path) -> None:
    scene = Scene()
    for _ in range(3):
        scene.tcp(True, SYN, sequence=1000).icmp(11, 0).wait(1)
    top = scene.top(tmp_path)
    assert (top.id, top.certainty) == ("routing-loop", 0.9)


def test_it_explains_the_silence_that_follows(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(5):
        scene.configure(True, 0xC021, 1, (5, b"abcd")).icmp(11, 0).wait(2)
    found = scene.hang_up(True).findings(tmp_path)
    assert "routing-loop" in found
    assert not [word for word in found if word.startswith("gre-missing")]
