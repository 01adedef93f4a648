from pathlib import Path

import pytest

from holdfast.capture.findings.base import Severity
from holdfast.control.messages import StartControlConnectionReply, StartControlConnectionRequest
from support.scene import Scene


@pytest.mark.parametrize("result", [2, 3, 4, 5])
def test_every_refusal(tmp_path: Path, result: int) -> None:
    scene = Scene().handshake().say(True, StartControlConnectionRequest(0x100, 3, 3, 0, 1, "", ""))
    scene.say(False, StartControlConnectionReply(0x100, result, 0, 3, 3, 0, 1, "", "")).hang_up(False)
    top = scene.top(tmp_path)
    assert (top.id, top.severity) == ("control-rejected", Severity.FAULT)
    assert str(result) in top.why
