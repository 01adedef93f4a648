from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_pppd_answers_early_ipcp_with_terminate_ack(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate()
    scene.configure(True, Protocol.IPCP, 1, (3, bytes(4)), identifier=90).ppp(False, Protocol.IPCP, 6, b"", 90)
    diagnosis = scene.encrypt().address().talk().diagnosis(tmp_path)
    found = {finding.id: finding for finding in diagnosis.judgement.all}
    assert "Terminate-Ack" in found["harmless"].why
    assert diagnosis.verdict == "healthy"


def test_nothing_odd_says_nothing(tmp_path: Path) -> None:
    assert "harmless" not in Scene().up().goodbye().findings(tmp_path)
