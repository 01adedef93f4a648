from pathlib import Path

from support.scene import Scene


def test_both_sides_of_a_router(tmp_path: Path) -> None:
    scene = Scene().up()
    copies = []
    for time, octets in scene.frames:
        nearer = bytearray(octets)
        nearer[22] -= 1
        copies += [(time, octets), (time + 0.0002, bytes(nearer))]
    scene.frames = copies
    diagnosis = scene.diagnosis(tmp_path)
    assert "capture-duplicates" in {finding.id for finding in diagnosis.judgement.all}
    assert diagnosis.verdict == "healthy"
    assert diagnosis.case.sessions[0].data_packets(up=True) == 10
