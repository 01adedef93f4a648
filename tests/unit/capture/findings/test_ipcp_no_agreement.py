from pathlib import Path

from holdfast.capture.findings.base import Towards
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_unanswered(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt()
    for number in range(5):
        scene.configure(True, Protocol.IPCP, 1, (3, bytes(4)), identifier=number).wait(3)
    top = scene.goodbye(True, b"").top(tmp_path)
    assert (top.id, top.towards) == ("ipcp-no-agreement", Towards.CLIENT)
    assert "keys" in top.why


def test_rejected_as_a_whole(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().configure(True, Protocol.IPCP, 1, (3, bytes(4)))
    scene.ppp(False, Protocol.LCP, 8, b"\x80\x21\x01\x01\x00\x0a\x03\x06\x00\x00\x00\x00")
    assert scene.goodbye(True, b"").top(tmp_path).id == "ipcp-no-agreement"


def test_a_server_without_a_network_protocol(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().goodbye(False)
    assert scene.top(tmp_path).id == "ipcp-no-agreement"


def test_an_end_much_later_says_nothing_of_addresses(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().wait(5).goodbye(False)
    assert "ipcp-no-agreement" not in scene.findings(tmp_path)
