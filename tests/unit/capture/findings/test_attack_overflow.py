from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.ppp.framing import Protocol
from support.scene import Scene, gre


def test_an_endless_name_without_sequence_number(tmp_path: Path) -> None:
    eap = b"\xc2\x27\x01\x00\x01\x16\x04\x10" + b"A" * 272
    top = Scene().packet(True, 47, gre(0, eap, None)).top(tmp_path)
    assert (top.id, top.severity) == ("attack-overflow", Severity.WARNING)


def test_a_real_challenge_is_none(tmp_path: Path) -> None:
    eap = b"\x04\x10" + bytes(16) + b"server"
    assert "attack-overflow" not in Scene().call().lcp().ppp(False, Protocol.EAP, 1, eap).findings(tmp_path)
