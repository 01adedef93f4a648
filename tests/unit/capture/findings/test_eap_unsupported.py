from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene

EAP = b"\xc2\x27"


def test_eap_or_nothing(tmp_path: Path) -> None:
    scene = Scene().call().agree(True, Protocol.LCP, (5, b"abcd"))
    for number in range(3):
        scene.configure(False, Protocol.LCP, 1, (3, EAP), identifier=number)
        scene.configure(True, Protocol.LCP, 3, (3, b"\xc2\x23\x81"), identifier=number)
    assert scene.goodbye(False, b"peer refused to authenticate").top(tmp_path).id == "eap-unsupported"


def test_eap_failure(tmp_path: Path) -> None:
    scene = Scene().call().lcp(EAP).ppp(False, Protocol.EAP, 1, b"\x01").ppp(True, Protocol.EAP, 2, b"\x03\x04")
    assert scene.ppp(False, Protocol.EAP, 4).goodbye(False, b"").top(tmp_path).id == "eap-unsupported"


def test_the_option_dropped_and_the_call_with_it(tmp_path: Path) -> None:
    scene = Scene().call().agree(True, Protocol.LCP, (5, b"abcd"))
    scene.configure(False, Protocol.LCP, 1, (3, EAP)).configure(True, Protocol.LCP, 3, (3, b"\xc2\x23\x81"))
    scene.agree(False, Protocol.LCP, (5, b"efgh")).configure(True, Protocol.IPCP, 1, (3, bytes(4)))
    found = scene.goodbye(False, b"peer refused to authenticate").findings(tmp_path)
    assert "eap-unsupported" in found
    assert "ipcp-no-agreement" not in found
