from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from holdfast.capture.case import build
from holdfast.capture.reading import read
from holdfast.capture.vantage import Pair, compare, conclusion, facts
from support.scene import Scene


def pairs(at_client: Scene, at_server: Scene, folder: Path) -> list[Pair]:
    cases = []
    for name, scene in (("client", at_client), ("server", at_server)):
        (folder / name).mkdir(exist_ok=True)
        cases.append(scene.case(folder / name))
    return compare(*cases)


def far_end(
    scene: Scene,
    *,
    ahead: float = 100.0,
    way: float = 0.004,
    lost: AbstractSet[int] = frozenset(),
    drift: float = 0.0,
    begin: float = 0.0,
    end: float = float("inf"),
) -> Scene:
    """The same frames as the server's capture has them: another clock, a way of `way` seconds, some lost.

    It runs from `begin` to `end`, in seconds since the first frame.
    """
    other = Scene()
    first = scene.frames[0][0]
    for number, (time, frame) in enumerate(scene.frames):
        to_server = frame[26:30] == scene.frames[0][1][26:30]
        if number not in lost and begin <= time - first <= end:
            moved = time + ahead + drift * (time - first)
            other.frames.append((moved + (way if to_server else -way), frame))
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
    other.numbers, other.tcp_numbers = {True: 500, False: 600}, {True: 77, False: 88}
    other.up(b"bob")
    assert pairs(Scene().up(), other, tmp_path) == []


def test_each_session_finds_its_own(tmp_path: Path) -> None:
    first = Scene(client_call=1, server_call=11).up()
    second = Scene(port=40001, client_call=2, server_call=22, now=first.now).up()
    both = first.together(second)
    found = pairs(both, far_end(both), tmp_path)
    assert [(pair.client.id, pair.server.id) for pair in found] == [("s1", "s1"), ("s2", "s2")]


def test_a_capture_that_began_late_has_lost_nothing(tmp_path: Path) -> None:
    scene = Scene().up().talk(60, 0.2).goodbye()
    (pair,) = pairs(scene, far_end(scene, begin=8.0), tmp_path)
    assert (pair.up.vanished, pair.down.vanished) == ([], [])
    assert pair.up.outside > 5
    assert pair.down.unseen == 0
    assert "every GRE frame arrives" in pair.as_data()["conclusion"]
    assert any("outside" in fact for fact in facts(pair))


def test_a_capture_that_was_stopped_early_has_lost_nothing(tmp_path: Path) -> None:
    scene = Scene().up().talk(60, 0.2).goodbye()
    (pair,) = pairs(scene, far_end(scene, end=9.0), tmp_path)
    assert (pair.up.vanished, pair.down.vanished) == ([], [])
    assert pair.up.outside > 5


def test_losses_are_seen_in_the_time_that_both_have(tmp_path: Path) -> None:
    scene = Scene().up().talk(60, 0.2)
    client = scene.frames[0][1][26:30]
    gone = {number for number, (_, frame) in enumerate(scene.frames) if number > 100 and frame[26:30] == client}
    (pair,) = pairs(scene, far_end(scene, lost=set(sorted(gone)[:7]), begin=6.0), tmp_path)
    assert len(pair.up.vanished) == 7
    assert pair.down.vanished == []


def test_a_clock_that_drifts(tmp_path: Path) -> None:
    scene = Scene().up().talk(300, 0.5)
    (pair,) = pairs(scene, far_end(scene, drift=0.0005, begin=60.0, end=250.0), tmp_path)
    assert pair.clocks is not None
    assert pair.clocks.drift == pytest.approx(0.0005, abs=0.00005)
    assert (pair.up.vanished, pair.down.vanished) == ([], [])


def test_one_end_keeps_the_first_octets_only(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(20):
        scene.data(number % 2 == 0, 900)
    far = far_end(scene)
    (tmp_path / "client").mkdir()
    (tmp_path / "server").mkdir()
    path = far.write(tmp_path / "server")
    octets = path.read_bytes()
    cut, at = octets[:24], 24
    while at < len(octets):
        size = int.from_bytes(octets[at + 8 : at + 12], "little")
        kept = min(size, 300)
        cut += octets[at : at + 8] + kept.to_bytes(4, "little") + octets[at + 12 : at + 16 + kept]
        at += 16 + size
    path.write_bytes(cut)
    (pair,) = compare(scene.case(tmp_path / "client"), build(read([str(path)])))
    assert (pair.up.vanished, pair.down.vanished) == ([], [])
    assert pair.up.arrived > 20


def test_a_firewall_that_changes_the_numbers_of_tcp(tmp_path: Path) -> None:
    scene = Scene().up()
    far = far_end(scene)
    frames = []
    for time, frame in far.frames:
        tcp = frame[23] == 6
        number = (int.from_bytes(frame[38:42]) + 5_000_000) % (1 << 32)
        frames.append((time, frame[:38] + number.to_bytes(4) + frame[42:] if tcp else frame))
    far.frames = frames
    (pair,) = pairs(scene, far, tmp_path)
    assert pair.up.arrived > 10


def test_what_is_between_the_two(tmp_path: Path) -> None:
    scene = Scene().up()
    far = far_end(scene)
    moved = []
    for time, frame in far.frames:
        to_server = frame[26:30] == scene.frames[0][1][26:30]
        if to_server:  # a NAT two routers away
            changed = frame[:22] + bytes((frame[22] - 2,)) + frame[23:26] + bytes((203, 0, 113, 7)) + frame[30:]
        else:
            changed = frame[:22] + bytes((frame[22] + 2,)) + frame[23:30] + bytes((203, 0, 113, 7)) + frame[34:]
        moved.append((time, changed))
    far.frames = moved
    (pair,) = pairs(scene, far, tmp_path)
    assert pair.translated
    assert (pair.up.routers, pair.down.routers) == (2, 2)
    assert any("203.0.113.7 in place of 192.0.2.10" in fact for fact in facts(pair))
    data = pair.as_data()
    assert data["client_to_server"]["routers_between"] == 2


def test_control_messages_that_never_arrive(tmp_path: Path) -> None:
    scene = Scene().call().clear(True)
    lost = {len(scene.frames) - 1}
    (pair,) = pairs(scene, far_end(scene, lost=lost), tmp_path)
    assert pair.up.control_lost == 1
    assert "1 control messages from the client to the server never arrive" in conclusion(pair)
