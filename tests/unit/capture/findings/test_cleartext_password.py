from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_pap_is_told_without_the_password(tmp_path: Path) -> None:
    scene = (
        Scene()
        .call()
        .lcp(b"\xc0\x23")
        .ppp(True, Protocol.PAP, 1, b"\x03bob\x09topsecret")
        .ppp(False, Protocol.PAP, 2, b"\0")
    )
    diagnosis = scene.encrypt().address().talk().diagnosis(tmp_path)
    found = {finding.id: finding for finding in diagnosis.judgement.all}
    assert found["cleartext-password"].severity is Severity.WARNING
    assert "topsecret" not in str(diagnosis.as_data())
    assert diagnosis.case.sessions[0].user == "bob"
