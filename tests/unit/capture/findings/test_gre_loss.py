from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from support.scene import Scene, gre


def lossy(every: int, total: int = 200) -> Scene:
    scene = Scene().up()
    for number in range(total):
        scene.lose(False) if number % every == 0 else scene.data(False)
        scene.data(True)
    return scene


def test_loss_in_one_direction(tmp_path: Path) -> None:
    found = lossy(10).findings(tmp_path)
    assert (found["gre-loss"].severity, found["gre-loss"].towards) == (Severity.WARNING, Towards.CLIENT)
    assert found["gre-loss"].evidence


def test_a_fifth_lost_is_a_fault(tmp_path: Path) -> None:
    assert lossy(4).findings(tmp_path)["gre-loss"].severity is Severity.FAULT


def test_little_loss_is_no_finding(tmp_path: Path) -> None:
    assert "gre-loss" not in lossy(150).findings(tmp_path)


def test_what_the_receiver_confirmed_was_lost_by_the_capture(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(200):
        sequence = scene.numbers[True]
        scene.lose(True) if number % 5 == 0 else scene.data(True)
        scene.packet(False, 47, gre(scene.client_call, b"", None, sequence))
    diagnosis = scene.diagnosis(tmp_path)
    found = {each.id: each for each in diagnosis.judgement.all}
    assert found["gre-loss"].severity is Severity.NOTE
    assert "the capture lost them" in found["gre-loss"].why
    assert diagnosis.verdict == "healthy"


def test_what_nobody_confirmed_was_lost_on_the_way(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(200):
        sequence = scene.numbers[True]
        if number % 5 == 0:
            scene.lose(True)
            continue
        scene.data(True).packet(False, 47, gre(scene.client_call, b"", None, sequence))
    assert scene.findings(tmp_path)["gre-loss"].severity is Severity.WARNING


def test_of_few_packets_few_are_enough(tmp_path: Path) -> None:
    scene = Scene().up()
    for _ in range(3):
        scene.lose(True, 1).data(True)
    assert scene.findings(tmp_path)["gre-loss"].severity is Severity.WARNING
    assert "gre-loss" not in Scene().up().lose(True, 1).data(True).lose(True, 1).data(True).findings(tmp_path)


def test_a_session_that_never_came_up_may_have_died_of_two(tmp_path: Path) -> None:
    scene = Scene().call().lcp().respond().lose(False, 2).wait(9).terminate(False).hang_up(False)
    found = scene.findings(tmp_path)
    assert "gre-loss" in found
    assert "auth-unanswered" not in found
