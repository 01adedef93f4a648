from pathlib import Path

from holdfast.capture.findings.base import Towards
from holdfast.ppp.framing import Protocol
from support.scene import CLIENT, SERVER, Scene


def test_a_host_that_refuses_gre(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(4):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).icmp(3, 2, source=SERVER).wait(3)
    found = scene.wait(5).clear(True).hang_up(True).findings(tmp_path)
    assert found["gre-icmp-unreachable"].towards is Towards.SERVER
    assert "gre-missing-from-server" not in found


def test_after_the_end_it_is_normal(tmp_path: Path) -> None:
    scene = Scene().up().goodbye().data(False).icmp(3, 2, source=CLIENT)
    assert "gre-icmp-unreachable" not in scene.findings(tmp_path)


def test_a_late_packet_of_one_session_does_not_blame_the_next(tmp_path: Path) -> None:
    scene = Scene().up().goodbye().data(False).icmp(3, 2, source=CLIENT).wait(5)
    again = Scene(port=40001, client_call=101, server_call=201, now=scene.now).up().wait(5).goodbye()
    again.data(False).icmp(3, 2, source=CLIENT)
    assert scene.together(again).diagnosis(tmp_path).verdict == "healthy"


def test_a_refusal_in_the_middle_counts(tmp_path: Path) -> None:
    scene = Scene().up().data(False).icmp(3, 2, source=CLIENT).wait(5).goodbye()
    assert "gre-icmp-unreachable" in scene.findings(tmp_path)


def test_a_refusal_of_the_other_call_behind_the_same_address(tmp_path: Path) -> None:
    first = Scene().up().goodbye().data(False).icmp(3, 2, source=CLIENT)
    second = Scene(port=40001, client_call=101, server_call=201).up().wait(20).goodbye()
    assert first.together(second).diagnosis(tmp_path).verdict == "healthy"


def test_a_program_that_is_about_to_say_goodbye_refuses_late_packets(tmp_path: Path) -> None:
    scene = Scene().up().data(False).icmp(3, 2, source=CLIENT).wait(0.5).hang_up(True)
    assert "gre-icmp-unreachable" not in scene.findings(tmp_path)


def test_one_that_goes_on_is_another_matter(tmp_path: Path) -> None:
    scene = Scene().up().data(False).icmp(3, 2, source=CLIENT).wait(9).talk().hang_up(True)
    assert "gre-icmp-unreachable" in scene.findings(tmp_path)
