from pathlib import Path

from support.scene import ROUTER, SERVER, SYN, Scene, ethernet, ip


def knock(times: int) -> Scene:
    scene = Scene()
    for attempt in range(times):
        scene.tcp(True, SYN, sequence=1000).wait(2.0**attempt)
    return scene.frame(ethernet(ip(ROUTER, SERVER, 17, bytes(20))))


def test_silence_is_a_filter(tmp_path: Path) -> None:
    top = knock(4).top(tmp_path)
    assert (top.id, top.certainty) == ("control-filtered", 0.9)


def test_one_syn_at_the_end_of_the_capture_says_nothing(tmp_path: Path) -> None:
    assert Scene().tcp(True, SYN).diagnosis(tmp_path).verdict == "healthy"


def test_icmp_prohibited_says_it_for_sure(tmp_path: Path) -> None:
    top = Scene().tcp(True, SYN).icmp(3, 13).top(tmp_path)
    assert (top.id, top.certainty) == ("control-filtered", 0.97)
