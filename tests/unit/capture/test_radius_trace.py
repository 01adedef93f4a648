from pathlib import Path

from holdfast.capture.radius_trace import RadiusExchange, exchanges_of
from holdfast.capture.reading import read
from support.scene import Scene

NAS, RADIUS = ("10.0.0.1", 40000), ("10.0.0.2", 1812)


def request(identifier: int = 7, authenticator: bytes = bytes(16)) -> bytes:
    return bytes((1, identifier, 0, 27)) + authenticator + b"\x01\x07alice"


def exchanges(scene: Scene, folder: Path) -> list[RadiusExchange]:
    return exchanges_of(read([str(scene.write(folder))]).radius())


def test_request_and_answer(tmp_path: Path) -> None:
    scene = Scene().udp(NAS, RADIUS, request()).wait(1.99).udp(RADIUS, NAS, b"\x03\x07\x00\x14" + bytes(16))
    (exchange,) = exchanges(scene, tmp_path)
    assert (exchange.user, exchange.answer_code, exchange.server) == ("alice", 3, "10.0.0.2")
    assert exchange.took == 2.0


def test_the_same_request_again_is_one_exchange(tmp_path: Path) -> None:
    (exchange,) = exchanges(Scene().udp(NAS, RADIUS, request()).udp(NAS, RADIUS, request()), tmp_path)
    assert len(exchange.sent) == 2
    assert exchange.took is None


def test_an_identifier_used_again_is_another_exchange(tmp_path: Path) -> None:
    scene = Scene().udp(NAS, RADIUS, request()).udp(NAS, RADIUS, request(7, b"x" * 16))
    assert len(exchanges(scene, tmp_path)) == 2


def test_what_is_no_radius_is_left_out(tmp_path: Path) -> None:
    scene = (
        Scene().udp(NAS, RADIUS, b"").udp(NAS, RADIUS, b"\xff" * 40).udp(NAS, RADIUS, b"\x01\x01\xff\xff" + bytes(30))
    )
    assert exchanges(scene, tmp_path) == []


def test_attributes_that_cannot_be_read_leave_the_name_out(tmp_path: Path) -> None:
    (exchange,) = exchanges(Scene().udp(NAS, RADIUS, b"\x01\x01\x00\x16" + bytes(16) + b"\x01\x00"), tmp_path)
    assert exchange.user == ""
