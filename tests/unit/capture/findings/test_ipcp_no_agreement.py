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
