from pathlib import Path

from holdfast.capture.findings.view import View, repeated, side
from holdfast.capture.session import Phase
from support.scene import Scene


def view(scene: Scene, folder: Path) -> View:
    case = scene.case(folder)
    return View(case.sessions[0], case)


def test_how_long_something_was_watched(tmp_path: Path) -> None:
    found = view(Scene().call().wait(10).clear(True), tmp_path)
    assert found.granted is not None
    assert 9.9 < found.watched_after(found.granted) < 10.1
    assert 9.9 < found.lived_after(found.granted) < 10.1


def test_up_over_and_begun(tmp_path: Path) -> None:
    found = view(Scene().up().goodbye(), tmp_path)
    assert found.up
    assert found.over
    assert found.started_in_capture
    assert found.reached(Phase.ENCRYPTION)
    assert not view(Scene().call(), tmp_path).up


def test_set_link_info_tells_of_lcp(tmp_path: Path) -> None:
    scene = Scene().call().link_info(False, 0, 0xFFFFFFFF)
    assert view(scene, tmp_path).lcp_opened_by_word is not None
    assert view(scene, tmp_path).lcp_closed_by_word is None
    assert view(scene.link_info(False, 0xFFFFFFFF, 0xFFFFFFFF), tmp_path).lcp_closed_by_word is not None


def test_what_endings_say(tmp_path: Path) -> None:
    found = view(Scene().up().goodbye(True, b"User request"), tmp_path)
    assert found.ending_with("user request") is not None
    assert found.ending_with("something else") is None
    said = b"\x11\x11\x11\x11\x00\x3c\xcd\x74" + (691).to_bytes(4)
    assert view(Scene().up().goodbye(True, said), tmp_path).ending_code(691) is not None


def test_a_private_client_of_a_public_server_is_behind_a_nat(tmp_path: Path) -> None:
    assert view(Scene(client="192.168.0.2", server="8.8.8.8").call(), tmp_path).behind_nat
    assert not view(Scene(client="192.168.0.2", server="192.168.0.1").call(), tmp_path).behind_nat


def test_requests_at_the_end_that_nobody_answered(tmp_path: Path) -> None:
    found = view(
        Scene().call().lcp().configure(True, 0xC021, 1, identifier=9).configure(True, 0xC021, 1, identifier=9), tmp_path
    )
    assert len(repeated(found.link.lcp.client)) == 2
    assert side(True) == "the client"
