import struct
from pathlib import Path

import pytest

from support.scene import ip
from support.scene_inside import InsideScene


@pytest.mark.parametrize(("size", "told"), [(1460, True), (1360, False)])
def test_the_size_in_a_syn(tmp_path: Path, size: int, told: bool) -> None:
    syn = struct.pack("!HHIIBBHHHBBH", 1000, 80, 1, 0, 0x60, 2, 1000, 0, 0, 2, 4, size)
    scene = InsideScene().opened().inner(True, ip("10.77.0.2", "10.0.0.5", 6, syn))
    assert ("mss-not-clamped" in {each.id for each in scene.with_password(tmp_path).judgement.all}) is told
