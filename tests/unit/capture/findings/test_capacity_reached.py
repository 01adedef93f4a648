from pathlib import Path

import pytest

from holdfast.control.messages import StartControlConnectionRequest
from support.scene import ACK, FIN, Scene

REQUEST = StartControlConnectionRequest(0x100, 3, 3, 0, 1, "", "")


@pytest.mark.parametrize(("result", "error"), [(4, 0), (2, 4)])
def test_busy_and_no_resources(tmp_path: Path, result: int, error: int) -> None:
    found = Scene().control().call_request().call_reply(result, error).findings(tmp_path)
    assert "capacity-reached" in found
    assert "call-refused" not in found


def test_a_door_closed_at_once(tmp_path: Path) -> None:
    scene = Scene().handshake().say(True, REQUEST).tcp(False, FIN | ACK).tcp(True, FIN | ACK)
    assert scene.top(tmp_path).id == "capacity-reached"
