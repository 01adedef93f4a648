from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from holdfast.ppp.framing import Protocol
from support.scene import SERVER, Scene, ethernet, gre, ip


def test_gre_from_another_address_than_tcp(tmp_path: Path) -> None:
    scene = Scene(client="203.0.113.9").call()
    for number in range(5):
        scene.frame(
            ethernet(ip("192.168.1.5", SERVER, 47, gre(200, b"\xff\x03\xc0\x21\x01\x01\x00\x04", number)))
        ).wait(3)
    found = scene.hang_up(True).findings(tmp_path)
    assert found["nat-without-helper"].severity is Severity.FAULT
    assert found["nat-without-helper"].certainty == 0.9


def test_a_call_id_that_nobody_announced(tmp_path: Path) -> None:
    scene = Scene().call()
    for number in range(5):
        scene.packet(False, 47, gre(999, b"\xff\x03\xc0\x21\x01\x01\x00\x04", number)).wait(3)
    assert "nat-without-helper" in scene.hang_up(True).findings(tmp_path)


def test_a_private_client_is_only_a_hint(tmp_path: Path) -> None:
    scene = Scene(client="192.168.1.5", server="8.8.4.4").call()
    for _ in range(10):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(3)
    found = scene.hang_up(True).findings(tmp_path)
    assert found["nat-without-helper"].severity is Severity.WARNING
    assert scene.top(tmp_path).id == "gre-missing-from-server"


def test_addresses_of_documents_are_not_behind_a_nat(tmp_path: Path) -> None:
    scene = Scene(client="192.0.2.10", server="8.8.4.4").call()
    for _ in range(10):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(3)
    assert "nat-without-helper" not in scene.hang_up(True).findings(tmp_path)


def test_a_server_behind_a_port_forward_answers_from_another_address(tmp_path: Path) -> None:
    scene = Scene().call().gre(True, b"\xff\x03\xc0\x21\x01\x01\x00\x04")
    scene.server = "198.51.100.99"
    scene.gre(False, b"\xff\x03\xc0\x21\x01\x01\x00\x04")
    scene.server = SERVER
    top = scene.wait(2).hang_up(False).top(tmp_path)
    assert (top.id, top.towards) == ("nat-without-helper", Towards.CLIENT)
    assert "198.51.100.99" in top.why
