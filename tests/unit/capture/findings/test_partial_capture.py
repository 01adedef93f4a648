from ipaddress import IPv4Address
from pathlib import Path

import pytest

from holdfast.capture.diagnosis import diagnose
from support.scene import CLIENT, Scene, pcap


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


def one_direction(scene: Scene, up: bool) -> Scene:
    client = IPv4Address(scene.client).packed
    scene.frames = [(time, frame) for time, frame in scene.frames if (frame[26:30] == client) == up]
    return scene


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("goodbye", [True, False])
def test_one_direction_blames_nobody(tmp_path: Path, up: bool, goodbye: bool) -> None:
    scene = Scene().up()
    if goodbye:
        scene.goodbye()
    diagnosis = one_direction(scene, up).diagnosis(tmp_path)
    assert "one direction of TCP" in {each.id: each for each in diagnosis.judgement.all}["partial-capture"].why
    assert diagnosis.verdict == "healthy", [each.id for each in diagnosis.judgement.all]


@pytest.mark.parametrize("up", [True, False])
def test_one_direction_of_gre_alone_blames_nobody(tmp_path: Path, up: bool) -> None:
    scene = Scene().lcp().authenticate().encrypt().address().talk()
    assert one_direction(scene, up).diagnosis(tmp_path).verdict == "healthy"


def test_the_end_of_an_earlier_session_is_no_stray_of_the_next(tmp_path: Path) -> None:
    before = Scene(client_call=7, server_call=8)
    before.numbers = {True: 500, False: 600}
    before.talk(5)
    scene = Scene(now=before.now + 5).call()
    for _ in range(10):
        scene.configure(True, 0xC021, 1, (5, b"abcd")).wait(3)
    found = before.together(scene.clear(True).hang_up(True)).findings(tmp_path)
    assert "nat-without-helper" not in found
    assert "gre-missing-from-server" in found


@pytest.mark.parametrize("snap", [56, 60, 68, 80])
def test_a_snap_length_that_cuts_the_control_messages_blames_nobody(tmp_path: Path, snap: int) -> None:
    """What old tcpdump kept by default: the Call IDs are cut off, and GRE belongs to the connection all the same."""
    (tmp_path / "cut.pcap").write_bytes(pcap(Scene().up().goodbye().frames, snap=snap))
    diagnosis = diagnose([str(tmp_path / "cut.pcap")])
    assert diagnosis.verdict == "healthy", [each.id for each in diagnosis.judgement.all]
    (session,) = diagnosis.case.sessions
    assert session.conversation
    assert session.gre_packets(up=True)
    found = {each.id: each for each in diagnosis.judgement.all}
    assert "snap length" in found["partial-capture"].why
