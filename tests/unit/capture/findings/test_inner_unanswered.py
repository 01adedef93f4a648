from pathlib import Path

from support.scene import ip
from support.scene_inside import InsideScene


def ping(number: int, *, answer: bool) -> bytes:
    kind = b"\0\0" if answer else b"\x08\0"
    ends = ("10.0.0.5", "10.77.0.2") if answer else ("10.77.0.2", "10.0.0.5")
    return ip(*ends, 1, kind + bytes(30), number=number)


def test_pings_into_nothing(tmp_path: Path) -> None:
    scene = InsideScene().opened()
    for number in range(6):
        scene.inner(True, ping(number, answer=False)).wait(1)
    found = [each.id for each in scene.with_password(tmp_path).judgement.all]
    assert found[0] == "inner-unanswered"
    assert "no-return-traffic" not in found


def test_answered_pings(tmp_path: Path) -> None:
    scene = InsideScene().opened()
    for number in range(6):
        scene.inner(True, ping(number, answer=False))
        scene.inner(False, ping(number, answer=True)).wait(1)
    assert scene.with_password(tmp_path).verdict == "healthy"
