from pathlib import Path

from support.scene import Scene


def test_a_slow_handshake_and_slow_echoes(tmp_path: Path) -> None:
    scene = Scene(tick=0.4).up()
    assert "high-latency" in scene.findings(tmp_path)


def test_a_quick_line(tmp_path: Path) -> None:
    assert "high-latency" not in Scene().up().findings(tmp_path)
