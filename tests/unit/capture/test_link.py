from pathlib import Path

from holdfast.capture.link import Link, mppe_bits
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def link(scene: Scene, folder: Path) -> Link:
    return scene.case(folder).sessions[0].link


def test_what_was_agreed(tmp_path: Path) -> None:
    found = link(Scene().up(), tmp_path)
    assert found.method is Method.MS_CHAP_V2
    assert found.mppe is not None
    assert (found.mppe.bits, found.mppe.stateless) == (128, True)
    assert (found.client_address, found.server_address) == ("10.77.0.2", "10.77.0.1")
    assert found.ended is None


def test_strength_and_mode(tmp_path: Path) -> None:
    found = link(Scene().call().lcp().authenticate().encrypt(0x20), tmp_path)
    assert found.mppe is not None
    assert (found.mppe.bits, found.mppe.stateless) == (40, False)
    assert mppe_bits(b"\0") == 0


def test_compression_without_encryption_is_no_mppe(tmp_path: Path) -> None:
    assert link(Scene().call().lcp().authenticate().encrypt(0x01), tmp_path).mppe is None


def test_name_servers_and_mru(tmp_path: Path) -> None:
    scene = Scene().call().agree(True, Protocol.LCP, (1, b"\x05\x78")).agree(False, Protocol.LCP)
    scene.agree(True, Protocol.IPCP, (3, b"\x0a\0\0\1"), (129, b"\x0a\0\0\2"), (131, b"\x0a\0\0\2"))
    found = link(scene, tmp_path)
    assert found.dns == ["10.0.0.2"]
    assert (found.mru(client=True), found.mru(client=False)) == (1400, None)


def test_the_end_and_its_words(tmp_path: Path) -> None:
    found = link(Scene().up().terminate(True, b"User request"), tmp_path)
    assert found.ended is not None
    assert (found.ended.from_client, found.ended.cause.text) == (True, "User request")


def test_resets_and_rejections(tmp_path: Path) -> None:
    scene = Scene().up().ppp(True, Protocol.CCP, 14).ppp(True, Protocol.LCP, 8, b"\x80\x57\x01\x01\x00\x04")
    found = link(scene, tmp_path)
    assert len(found.resets) == len(found.ipv6cp.rejections) == 1
