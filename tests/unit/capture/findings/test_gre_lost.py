from pathlib import Path

from holdfast.capture.findings.base import Towards
from holdfast.control.messages import EchoReply, EchoRequest
from holdfast.ppp.framing import Protocol
from support.scene import Scene

RST_ACK = 0x14


def test_gre_stops_and_tcp_lives(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(5):
        scene.wait(10).ppp(True, Protocol.LCP, 9, b"\x11\x11\x11\x11", number)
    scene.say(True, EchoRequest(1)).say(False, EchoReply(1, 1, 0))
    top = scene.top(tmp_path)
    assert (top.id, top.towards) == ("gre-lost", Towards.CLIENT)


def test_the_side_that_hears_nothing_gives_up_early(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(4):
        scene.wait(2).ppp(True, Protocol.LCP, 9, b"\x11\x11\x11\x11", number)
    top = scene.ppp(True, Protocol.LCP, 5, b"MPPE disabled", 9).clear(True).hang_up(True).top(tmp_path)
    assert (top.id, top.towards) == ("gre-lost", Towards.CLIENT)


def test_a_reset_shows_as_well_as_a_word_that_tcp_lives(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(4):
        scene.wait(2).ppp(True, Protocol.LCP, 9, b"\x11\x11\x11\x11", number)
    for _ in range(3):
        scene.wait(2).ppp(True, Protocol.LCP, 5, b"MPPE disabled", 9)
    top = scene.clear(True).tcp(False, RST_ACK).top(tmp_path)
    assert (top.id, top.towards) == ("gre-lost", Towards.CLIENT)


def test_one_direction_is_cut_and_the_echoes_tell(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(8):
        scene.ppp(True, Protocol.LCP, 9, b"abcd", number)
        if number < 3:
            scene.ppp(False, Protocol.LCP, 10, b"efgh", number)
        scene.ppp(False, Protocol.LCP, 9, b"efgh", 100 + number).ppp(True, Protocol.LCP, 10, b"abcd", 100 + number)
        scene.wait(2)
    top = scene.goodbye().top(tmp_path)
    assert (top.id, top.towards) == ("gre-lost", Towards.SERVER)
    assert "LCP echoes of the client" in top.why


def test_an_echo_lost_now_and_then_is_none(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(12):
        scene.ppp(True, Protocol.LCP, 9, b"abcd", number)
        if number % 4 != 3:
            scene.ppp(False, Protocol.LCP, 10, b"efgh", number)
        scene.data(False).wait(2)
    assert "gre-lost" not in scene.findings(tmp_path)
