from pathlib import Path

from holdfast.capture.findings.base import Towards
from support.scene import ACK, ROUTER, SERVER, SYN, Scene, ethernet, ip


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


def test_near_the_server_the_answer_is_repeated_in_vain(tmp_path: Path) -> None:
    scene = Scene()
    for attempt in range(3):
        scene.tcp(True, SYN, sequence=1000).tcp(False, SYN | ACK, sequence=5000).wait(2.0**attempt)
    top = scene.frame(ethernet(ip(ROUTER, SERVER, 17, bytes(20)))).top(tmp_path)
    assert (top.id, top.towards) == ("control-filtered", Towards.CLIENT)


def test_one_late_answer_is_no_filter(tmp_path: Path) -> None:
    scene = Scene().tcp(True, SYN, sequence=1000).wait(1).tcp(True, SYN, sequence=1000).tcp(False, SYN | ACK)
    scene.wait(5).frame(ethernet(ip(ROUTER, SERVER, 17, bytes(20))))
    assert "control-filtered" not in scene.findings(tmp_path)


def test_near_the_server_answers_that_are_never_confirmed(tmp_path: Path) -> None:
    scene = Scene().tcp(True, SYN, sequence=1000)
    for attempt in range(3):
        scene.tcp(False, SYN | ACK, sequence=5000).wait(2.0**attempt)
    top = scene.frame(ethernet(ip(ROUTER, SERVER, 17, bytes(20)))).top(tmp_path)
    assert (top.id, top.towards) == ("control-filtered", Towards.CLIENT)
    assert "no ACK follows" in top.why
