from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_requests_that_nobody_answers(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(6):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).configure(False, Protocol.LCP, 1, (5, b"efgh")).wait(3)
    top = scene.clear(True).hang_up(True).top(tmp_path)
    assert (top.id, top.severity) == ("lcp-unanswered", Severity.FAULT)


def test_one_lost_request_is_nothing(tmp_path: Path) -> None:
    scene = Scene().call().configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(3)
    diagnosis = scene.lcp().authenticate().encrypt().address().talk().diagnosis(tmp_path)
    assert diagnosis.verdict == "healthy"
    assert "harmless" in {finding.id for finding in diagnosis.judgement.all}
