from pathlib import Path

from holdfast.capture.session import Phase, Session
from support.scene import Scene


def session(scene: Scene, folder: Path) -> Session:
    return scene.case(folder).sessions[0]


def test_a_whole_session_reaches_everything_in_order(tmp_path: Path) -> None:
    found = session(Scene().up().goodbye(), tmp_path)
    assert list(found.phases) == list(Phase)
    assert sorted(found.phases.values()) == list(found.phases.values())
    assert found.phase is Phase.GOODBYE


def test_how_far_a_failed_one_got(tmp_path: Path) -> None:
    assert session(Scene().handshake(), tmp_path).phase is Phase.TCP
    assert session(Scene().control(), tmp_path).phase is Phase.CONTROL
    assert session(Scene().call(), tmp_path).phase is Phase.CALL
    assert session(Scene().call().lcp().refuse().goodbye(False), tmp_path).phase is Phase.LCP


def test_data_is_counted_without_copies(tmp_path: Path) -> None:
    found = session(Scene().up().data(True).again().data(False), tmp_path)
    assert (found.data_packets(up=True), found.data_packets(up=False)) == (11, 11)
    assert found.gre_packets(up=True) > found.data_packets(up=True)


def test_who_began_the_end(tmp_path: Path) -> None:
    for up in (True, False):
        goodbye = session(Scene().up().goodbye(up), tmp_path).goodbye
        assert goodbye is not None
        assert goodbye[1] is up


def test_a_link_that_begins_anew_has_not_ended(tmp_path: Path) -> None:
    scene = Scene().up().terminate(True).lcp().authenticate().encrypt().address().talk()
    assert session(scene, tmp_path).goodbye is None
