from pathlib import Path

from holdfast.capture.findings.base import Towards
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_no_ccp_at_all(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate()
    scene.configure(False, Protocol.CCP, 1, (18, b"\x01\x00\x00\x40"), identifier=5)
    scene.ppp(True, Protocol.LCP, 8, b"\x80\xfd\x01\x05\x00\x0a\x12\x06\x01\x00\x00\x40", 3)
    top = scene.goodbye(False, b"MPPE required but peer negotiation failed").top(tmp_path)
    assert (top.id, top.towards) == ("mppe-unavailable", Towards.SERVER)
