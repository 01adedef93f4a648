from pathlib import Path

from support.scene import CLIENT, Scene


def test_a_beginning_in_the_middle(tmp_path: Path) -> None:
    scene = Scene().up().goodbye()
    scene.frames = scene.frames[12:]
    assert "partial-capture" in scene.findings(tmp_path)


def test_gre_alone(tmp_path: Path) -> None:
    scene = Scene().lcp().authenticate().encrypt().address().talk()
    diagnosis = scene.diagnosis(tmp_path)
    assert "control connection" in {finding.id: finding for finding in diagnosis.judgement.all}["partial-capture"].why
    assert diagnosis.case.sessions[0].client == CLIENT


def test_a_whole_session_is_whole(tmp_path: Path) -> None:
    assert "partial-capture" not in Scene().up().goodbye().findings(tmp_path)
