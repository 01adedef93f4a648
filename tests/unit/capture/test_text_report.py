from pathlib import Path

import pytest

from holdfast.capture.text_report import render
from support.scene import CLIENT, SERVER, Scene


def test_a_failed_session_fits_on_a_screen(tmp_path: Path) -> None:
    text = render(Scene().call().lcp().refuse().goodbye(False).diagnosis(tmp_path))
    assert "FAULT auth-rejected (97%): Wrong user name or password" in text
    assert "Windows shows: 691 (access denied" in text
    assert "frame.number >= " in text
    assert len(text.splitlines()) < 40


def test_a_healthy_one_says_so_first(tmp_path: Path) -> None:
    assert "All is well." in render(Scene().up().goodbye().diagnosis(tmp_path)).splitlines()[0]


def test_nothing_is_said_to_be_nothing(tmp_path: Path) -> None:
    assert "No PPTP in this capture." in render(Scene().udp((CLIENT, 1), (SERVER, 2), b"").diagnosis(tmp_path))


def test_many_sessions_stay_on_a_screen_and_the_worst_comes_first(tmp_path: Path) -> None:
    scenes = [Scene(port=30000 + n, client=f"192.0.2.{n + 1}", now=1000.0 + 10 * n).up().goodbye() for n in range(60)]
    bad = Scene(client="192.0.2.200", now=5000.0).call().lcp().refuse().goodbye(False)
    text = render(bad.together(*scenes).diagnosis(tmp_path))
    assert text.index("192.0.2.200") < text.index("192.0.2.1 ")
    assert "more sessions" in text
    assert text.count("TCP 0.0") == 2, "one of each kind is shown in full"
    assert len(text.splitlines()) <= 40


def test_the_same_advice_is_given_once(tmp_path: Path) -> None:
    scenes = [Scene(port=30000 + n, now=1000.0 + 50 * n).call().lcp().refuse().goodbye(False) for n in range(2)]
    text = render(scenes[0].together(scenes[1]).diagnosis(tmp_path))
    assert text.count("FAULT auth-rejected") == 2
    assert text.count("caps lock") == 1
    assert "What to do: see s1." in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    scene = Scene().up(b"a.user.with.a.long.name").talk(5)
    for _ in range(20):
        scene.data(True).wait(1)
    lines = render(scene.diagnosis(tmp_path), width).splitlines()
    assert max(map(len, lines)) <= width


def test_a_failure_fits_on_a_small_terminal(tmp_path: Path) -> None:
    text = render(Scene().call().lcp().refuse().goodbye(False).diagnosis(tmp_path), 80)
    assert len(text.splitlines()) <= 24


def test_what_would_settle_it_is_said_where_the_capture_cannot(tmp_path: Path) -> None:
    text = render(Scene().call().wait(12).hang_up(True).diagnosis(tmp_path))
    assert "partial-capture" in text
    assert "to be sure: Start the capture before the client dials" in text
    assert "--client A.pcap --server B.pcap" in text.replace("\n        ", " ")


def test_a_later_call_of_a_connection_has_no_negative_times(tmp_path: Path) -> None:
    scene = Scene().call().wait(3).clear(True)
    scene.client_call, scene.server_call = 101, 201
    text = render(scene.call_request().call_reply().wait(3).hang_up(True).diagnosis(tmp_path))
    assert "-" not in "".join(line for line in text.splitlines() if line.startswith("  TCP "))


def test_a_filter_and_a_command_can_be_copied(tmp_path: Path) -> None:
    scene = Scene().up()
    for _ in range(20):
        scene.lose(True, 2).data(True).data(False)
    lines = render(scene.diagnosis(tmp_path)).splitlines()
    (shown,) = [line for line in lines if "Wireshark: " in line]
    assert shown.count("frame.number") == 16
