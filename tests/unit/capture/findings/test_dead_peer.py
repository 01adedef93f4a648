from pathlib import Path

from holdfast.capture.findings import gre_missing
from holdfast.capture.findings.base import Severity, Towards
from holdfast.capture.findings.dead_peer import ENTRY
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_silence_on_both_channels(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(4):
        scene.wait(10).ppp(True, Protocol.LCP, 9, b"\x11\x11\x11\x11", number)
    top = scene.top(tmp_path)
    assert (top.id, top.towards) == ("dead-peer", Towards.CLIENT)


def test_by_word(tmp_path: Path) -> None:
    found = Scene().up().wait(60).goodbye(False, b"Peer not responding").findings(tmp_path)
    assert found["dead-peer"].severity is Severity.FAULT


def test_a_quiet_session_is_alive(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(4):
        scene.wait(30).ppp(True, Protocol.LCP, 9, b"\x11\x11\x11\x11", number)
        scene.ppp(False, Protocol.LCP, 10, b"\x22\x22\x22\x22", number)
    assert scene.diagnosis(tmp_path).verdict == "healthy"


def test_three_echoes_and_a_goodbye_into_nothing(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(3):
        scene.wait(2).ppp(False, Protocol.LCP, 9, b"\x11\x11\x11\x11", number)
    top = scene.wait(2).ppp(False, Protocol.LCP, 5, b"MPPE disabled", 9).top(tmp_path)
    assert (top.id, top.towards) == ("dead-peer", Towards.SERVER)


def test_two_echoes_are_not_enough(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(2):
        scene.wait(2).ppp(False, Protocol.LCP, 9, b"\x11\x11\x11\x11", number)
    assert "dead-peer" not in scene.wait(2).ppp(False, Protocol.LCP, 5, b"MPPE disabled", 9).findings(tmp_path)


def test_loss_is_told_apart_from_death_and_a_second_way_back_is_named() -> None:
    assert any("lost in a burst" in fix and "lcp-echo-failure" in fix for fix in ENTRY.fixes.network)
    assert any("return another way" in fix for fix in gre_missing.ENTRY.fixes.network)


def chatter(scene: Scene) -> Scene:
    """Broadcasts of a client that has just come, which nobody answers."""
    for size in (96, 328, 96, 78, 328, 211, 96, 328):
        scene.data(True, size).wait(4)
    return scene


def test_broadcasts_that_nobody_answers_are_no_death(tmp_path: Path) -> None:
    """Linux' kernel does not acknowledge without data of its own."""
    scene = chatter(Scene().call().lcp().authenticate().encrypt().address())
    assert scene.diagnosis(tmp_path).verdict == "healthy"


def test_a_server_that_answered_data_before_is_missed(tmp_path: Path) -> None:
    assert chatter(Scene().up()).top(tmp_path).id == "dead-peer"
