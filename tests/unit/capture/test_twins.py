from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

from support.scene import CLIENT, Scene

OUTSIDE = "203.0.113.77"


def both_sides(scene: Scene, keep: Callable[[bytes], bool] = lambda _: True) -> Scene:
    """Return what a router's interface `any` shows: each frame, and again with the client's address translated."""
    inside, outside = IPv4Address(CLIENT).packed, IPv4Address(OUTSIDE).packed
    kept = [(time, frame) for time, frame in scene.frames if keep(frame)]
    again = [(time + 0.00005, frame.replace(inside, outside)) for time, frame in kept]
    scene.frames = sorted([*kept, *again])
    return scene


def test_a_session_on_both_sides_of_a_nat_is_well(tmp_path: Path) -> None:
    diagnosis = both_sides(Scene().up().goodbye()).diagnosis(tmp_path)
    assert diagnosis.verdict == "healthy", [each.id for each in diagnosis.judgement.all]
    first, second = diagnosis.case.sessions
    assert second.twin_of is first
    (found,) = [each for each in diagnosis.findings(second) if each.id == "capture-duplicates"]
    assert "s1 seen again" in found.why
    assert OUTSIDE in found.why


def test_the_same_without_the_control_connection(tmp_path: Path) -> None:
    scene = both_sides(Scene().up().goodbye(), keep=lambda frame: frame[23] == 47)
    first, second = scene.case(tmp_path).sessions
    assert second.twin_of is first


def test_wrong_passwords_count_once(tmp_path: Path) -> None:
    scenes = [Scene(port=40000 + number, now=1_700_000_000.0 + 3 * number) for number in range(8)]
    for number, scene in enumerate(scenes):
        scene.tcp_numbers = {True: 1000 * number, False: 7000 * number}
        scene.call().lcp().refuse().goodbye(False)
    diagnosis = both_sides(scenes[0].together(*scenes[1:])).diagnosis(tmp_path)
    assert [each.id for each in diagnosis.findings(None)].count("brute-force") <= 1


def test_two_clients_are_two_sessions(tmp_path: Path) -> None:
    second = Scene(client=OUTSIDE, server_call=201, client_call=101)
    second.tcp_numbers = {True: 77, False: 78}
    case = Scene().up(b"alice").together(second.up(b"bob")).case(tmp_path)
    assert [each.twin_of for each in case.sessions] == [None, None]


def test_a_traffic_generators_clients_are_many_sessions(tmp_path: Path) -> None:
    scenes = [Scene(client=f"192.0.2.{number}", now=1_700_000_000.0 + number / 50) for number in range(20, 30)]
    for scene in scenes:
        scene.handshake()
    case = scenes[0].together(*scenes[1:]).case(tmp_path)
    assert len(case.apart) == len(case.sessions) == 10
