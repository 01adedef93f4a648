from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from holdfast.capture.vantage import Pair, compare
from support.scene import Scene


def pairs(at_client: Scene, at_server: Scene, folder: Path) -> list[Pair]:
    cases = []
    for name, scene in (("client", at_client), ("server", at_server)):
        (folder / name).mkdir(exist_ok=True)
        cases.append(scene.case(folder / name))
    return compare(*cases)


def far_end(scene: Scene, *, ahead: float = 100.0, way: float = 0.004, lost: AbstractSet[int] = frozenset()) -> Scene:
    """The same frames as the server's capture has them: another clock, a way of `way` seconds, some lost."""
    other = Scene()
    for number, (time, frame) in enumerate(scene.frames):
        to_server = frame[26:30] == scene.frames[0][1][26:30]
        if number not in lost:
            other.frames.append((time + ahead + (way if to_server else -way), frame))
    other.frames.sort(key=lambda pair: pair[0])
    return other


def test_clocks_are_aligned_by_the_frames_themselves(tmp_path: Path) -> None:
    scene = Scene().up().goodbye()
    (pair,) = pairs(scene, far_end(scene), tmp_path)
    assert pair.offset == pytest.approx(100.0, abs=0.001)
    assert pair.round_trip == pytest.approx(0.008, abs=0.001)
    assert (len(pair.up.vanished), len(pair.down.vanished)) == (0, 0)
    assert pair.as_data()["conclusion"] == "every GRE frame arrives"


def test_what_vanishes_is_named_with_its_direction(tmp_path: Path) -> None:
    scene = Scene().up()
    client = scene.frames[0][1][26:30]
    lost = {number for number, (_, frame) in enumerate(scene.frames) if number > 35 and frame[26:30] == client}
    (pair,) = pairs(scene, far_end(scene, lost=lost), tmp_path)
    assert {moment.frame for moment in pair.up.vanished} == {number + 1 for number in lost}
    assert pair.down.vanished == []
    assert "from the client to the server vanish" in pair.as_data()["conclusion"]


def test_everything_of_a_direction(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(5):
        scene.configure(True, 0xC021, 1, (5, b"abcd")).wait(3)
    lost = {number for number, (_, frame) in enumerate(scene.frames) if frame[23] == 47}
    (pair,) = pairs(scene, far_end(scene, lost=lost), tmp_path)
    assert "it is blocked there" in pair.as_data()["conclusion"]


def test_sessions_of_strangers_are_no_pair(tmp_path: Path) -> None:
    other = Scene(client="192.0.2.99", server="198.51.100.99", client_call=7, server_call=8)
    other.numbers = {True: 500, False: 600}
    other.up(b"bob")
    assert pairs(Scene().up(), other, tmp_path) == []


def test_each_session_finds_its_own(tmp_path: Path) -> None:
    first = Scene(client_call=1, server_call=11).up()
    second = Scene(port=40001, client_call=2, server_call=22, now=first.now).up()
    both = first.together(second)
    found = pairs(both, far_end(both), tmp_path)
    assert [(pair.client.id, pair.server.id) for pair in found] == [("s1", "s1"), ("s2", "s2")]
