import struct
from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import CLIENT, SERVER, Scene, ethernet, gre, ip


def fragments(scene: Scene, whole: bytes, identification: int, *, lose_last: bool = False) -> None:
    for offset, more in ((0, True), (1 if len(whole) < 16 else len(whole) // 16, False)):
        piece = whole[: len(whole) // 16 * 8] if more else whole[len(whole) // 16 * 8 :]
        if lose_last and not more:
            continue
        packet = bytearray(ip(CLIENT, SERVER, 47, piece, number=identification))
        packet[6:8] = struct.pack("!H", (0x2000 if more else 0) | (0 if more else offset))
        scene.frame(ethernet(bytes(packet)))


def test_fragments_are_put_together_and_told(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(6):
        fragments(scene, gre(200, b"\x00\xfd\x90\x00" + bytes(1400), scene.numbers[True] + number), number)
    diagnosis = scene.diagnosis(tmp_path)
    found = {finding.id: finding for finding in diagnosis.judgement.all}
    assert found["gre-fragmented"].severity is Severity.WARNING
    assert diagnosis.case.sessions[0].data_packets(up=True) == 16
    assert "gre-loss" not in found


def test_missing_pieces_are_said(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(6):
        fragments(scene, gre(200, b"\x00\xfd\x90\x00" + bytes(1400), 100 + number), number, lose_last=True)
    assert "pieces are missing" in scene.findings(tmp_path)["gre-fragmented"].why
