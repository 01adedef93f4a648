from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_two_clients_with_one_id(tmp_path: Path) -> None:
    first = Scene(port=40000, server_call=200).up()
    second = Scene(port=40001, server_call=201, now=first.now).call()
    for _ in range(5):
        second.configure(True, Protocol.LCP, 1, (5, b"abcd")).wait(3)
    first.now = second.now
    found = first.talk().together(second).findings(tmp_path)
    assert found["call-id-collision"].severity is Severity.FAULT


def test_one_after_the_other_is_fine(tmp_path: Path) -> None:
    first = Scene(port=40000).up().goodbye()
    second = Scene(port=40001, now=first.now + 5).up().goodbye()
    assert "call-id-collision" not in first.together(second).findings(tmp_path)
