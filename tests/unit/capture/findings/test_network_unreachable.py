from pathlib import Path

import pytest

from holdfast.capture.findings.base import Towards
from holdfast.ppp.framing import Protocol
from support.scene import SYN, Scene


@pytest.mark.parametrize("code", [0, 1])
def test_a_router_without_a_way(tmp_path: Path, code: int) -> None:
    top = Scene().tcp(True, SYN).icmp(3, code).top(tmp_path)
    assert (top.id, top.towards) == ("network-unreachable", Towards.SERVER)


def test_for_gre_it_explains_the_missing_answers(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(5):
        scene.configure(True, Protocol.LCP, 1, (5, b"abcd")).icmp(3, 0).wait(3)
    found = scene.findings(tmp_path)
    assert "network-unreachable" in found
    assert "gre-missing-from-server" not in found
