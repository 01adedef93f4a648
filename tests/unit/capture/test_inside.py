from pathlib import Path

import pytest

from holdfast.capture.diagnosis import diagnose
from holdfast.capture.inside import Inside, nt_hash_of
from holdfast.secret import Secret
from support.captures import capture_path
from support.scene import ip
from support.scene_inside import PASSWORD, InsideScene

PING = ip("10.77.0.2", "10.0.0.5", 1, b"\x08\0" + bytes(62))
PONG = ip("10.0.0.5", "10.77.0.2", 1, b"\0\0" + bytes(62))


def inside(scene: InsideScene, folder: Path, password: bytes = PASSWORD, user: str = "") -> Inside | None:
    return scene.with_password(folder, password, user).case.sessions[0].inside


def test_the_right_password_opens_both_directions(tmp_path: Path) -> None:
    found = inside(InsideScene().opened().inner(True, PING).inner(False, PONG), tmp_path)
    assert found is not None
    assert (found.password_fits, found.server_proved) == (True, True)
    assert [(packet.up, packet.octets) for packet in found.packets] == [(True, PING), (False, PONG)]


def test_loss_and_disorder_are_survived(tmp_path: Path) -> None:
    scene = InsideScene().opened()
    for _ in range(30):
        scene.inner(True, PING)
    scene.frames[-20], scene.frames[-19] = scene.frames[-19], scene.frames[-20]
    del scene.frames[-10]
    found = inside(scene, tmp_path)
    assert found is not None
    assert len(found.packets) == 29
    assert found.opaque[True] == 0


def test_another_password_opens_nothing(tmp_path: Path) -> None:
    found = inside(InsideScene().opened().inner(True, PING), tmp_path, b"wrong")
    assert found is not None
    assert (found.password_fits, found.packets) == (False, [])


def test_another_user_is_not_tried(tmp_path: Path) -> None:
    scene = InsideScene().opened().inner(True, PING)
    assert inside(scene, tmp_path, user="bob") is None
    assert inside(scene, tmp_path, user="DOM\\alice") is not None


def test_a_false_server_is_seen_through(tmp_path: Path) -> None:
    scene = InsideScene()
    scene.call().lcp()
    found = inside(scene.prove(server_password=b"other"), tmp_path)
    assert found is not None
    assert (found.password_fits, found.server_proved) == (True, False)


def test_secrets_are_in_no_output(tmp_path: Path) -> None:
    diagnosis = InsideScene().opened().inner(True, PING).with_password(tmp_path)
    secret = nt_hash_of(Secret(PASSWORD)).reveal()
    assert secret.hex() not in str(diagnosis.as_data())
    assert PASSWORD.decode() not in str(diagnosis.as_data())


@pytest.mark.captures
def test_a_capture_of_other_people() -> None:
    path = capture_path("asleap__pptp_80211.dump")
    diagnosis = diagnose([str(path)], nt_hash=nt_hash_of(Secret(b"turquoise")))
    found = diagnosis.case.sessions[0].inside
    assert found is not None
    assert (found.password_fits, found.server_proved, len(found.packets)) == (True, True, 18)
    assert {packet.octets[16:20] for packet in found.packets} == {b"\xff\xff\xff\xff"}
