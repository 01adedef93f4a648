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


def test_a_narrow_path_is_told_what_fits_it(tmp_path: Path) -> None:
    found = Scene().up().data(True, 1300).icmp(3, 4, rest=900).findings(tmp_path)["mtu-too-big"]
    texts = " ".join(found.fixes.server + found.fixes.client)
    assert "mtu 856" in texts
    assert "--set-mss 816" in texts
    assert "1400" not in texts
