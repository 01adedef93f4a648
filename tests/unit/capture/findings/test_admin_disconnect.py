from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.control.messages import StopControlConnectionRequest
from support.scene import Scene


def test_the_server_is_told_to_stop(tmp_path: Path) -> None:
    found = Scene().up().goodbye(False, b"User request").findings(tmp_path)
    assert found["admin-disconnect"].severity is Severity.NOTE
    assert "server-ended" not in found


def test_shutdown(tmp_path: Path) -> None:
    found = Scene().up().say(False, StopControlConnectionRequest(3)).hang_up(False).findings(tmp_path)
    assert "admin-disconnect" in found
