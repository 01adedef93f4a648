from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import CHAP_V2, Scene

PAP = b"\xc0\x23"


def test_no_common_method(tmp_path: Path) -> None:
    scene = Scene().call().agree(True, Protocol.LCP, (5, b"abcd"))
    for number in range(3):
        scene.configure(False, Protocol.LCP, 1, (3, CHAP_V2), identifier=number)
        scene.configure(True, Protocol.LCP, 3, (3, PAP), identifier=number)
    top = scene.goodbye(False, b"peer refused to authenticate").top(tmp_path)
    assert top.id == "auth-method-mismatch"
    assert "ms-chap-v2" in top.why
    assert "pap" in top.why


def test_agreement_after_a_nak_is_fine(tmp_path: Path) -> None:
    scene = Scene().call().configure(False, Protocol.LCP, 1, (3, PAP), identifier=9)
    scene.configure(True, Protocol.LCP, 3, (3, CHAP_V2), identifier=9)
    diagnosis = scene.lcp().authenticate().encrypt().address().talk().diagnosis(tmp_path)
    assert diagnosis.verdict == "healthy"
