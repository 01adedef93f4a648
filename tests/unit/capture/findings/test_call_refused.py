from pathlib import Path

import pytest

from holdfast.capture.findings.base import Towards
from support.scene import Scene


@pytest.mark.parametrize("result", [2, 3, 5, 6, 7])
def test_every_result_code(tmp_path: Path, result: int) -> None:
    top = Scene().control().call_request().call_reply(result).hang_up(False).top(tmp_path)
    assert (top.id, top.towards) == ("call-refused", Towards.CLIENT)
    assert f"Result Code {result} (" in top.why


def test_a_granted_call(tmp_path: Path) -> None:
    assert "call-refused" not in Scene().call().findings(tmp_path)
