from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from support.scene import Scene


def test_a_router_asks_for_less(tmp_path: Path) -> None:
    scene = Scene().up()
    for _ in range(3):
        scene.data(True, 1420).icmp(3, 4, rest=1400)
    top = scene.top(tmp_path)
    assert (top.id, top.severity, top.towards) == ("mtu-too-big", Severity.FAULT, Towards.SERVER)
    assert "1400" in top.why
