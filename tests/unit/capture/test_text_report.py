from pathlib import Path

from holdfast.capture.text_report import SESSIONS_MOST, render
from support.scene import CLIENT, SERVER, Scene


def test_a_failed_session_fits_on_a_screen(tmp_path: Path) -> None:
    text = render(Scene().call().lcp().refuse().goodbye(False).diagnosis(tmp_path))
    assert "FAULT auth-rejected (97%): Wrong user name or password" in text
    assert "Windows shows: 691" in text
    assert "frame.number == " in text
    assert len(text.splitlines()) < 40


def test_a_healthy_one_says_so_first(tmp_path: Path) -> None:
    assert "All is well." in render(Scene().up().goodbye().diagnosis(tmp_path)).splitlines()[0]


def test_nothing_is_said_to_be_nothing(tmp_path: Path) -> None:
    assert "No PPTP in this capture." in render(Scene().udp((CLIENT, 1), (SERVER, 2), b"").diagnosis(tmp_path))


def test_many_sessions_stay_readable_and_the_worst_comes_first(tmp_path: Path) -> None:
    scenes = [Scene(port=30000 + n, client=f"192.0.2.{n + 1}", now=1000.0 + 10 * n).up().goodbye() for n in range(60)]
    bad = Scene(client="192.0.2.200", now=5000.0).call().lcp().refuse().goodbye(False)
    text = render(bad.together(*scenes).diagnosis(tmp_path))
    assert text.index("192.0.2.200") < text.index("192.0.2.1 ")
    assert "more sessions" in text
    assert text.count("TCP 0.0") == SESSIONS_MOST
