import random
import struct
import time
from pathlib import Path

import pytest

from holdfast.capture.diagnosis import diagnose
from holdfast.watch import desk as module
from holdfast.watch.desk import CONNECTIONS_MOST, STRANGERS_MOST
from holdfast.watch.ring import Captured
from holdfast.watch.watched import NEVER_SPOKE, SETTLE, SILENT
from support.live import LiveDesk, captured
from support.scene import CLIENT, SERVER, SYN, Scene, gre, ip

OVER = SETTLE + 2


def fresh(scene: Scene, number: int) -> Scene:
    """Another connection of the same client at the same time."""
    return Scene(now=scene.now, port=41000 + number, client_call=300 + number, server_call=600 + number)


def test_a_session_that_is_well() -> None:
    live = LiveDesk.make().play(Scene().up().talk(60, 0.2).goodbye()).silence(OVER)
    assert live.names() == ["WATCH_UP", "WATCH_END"]
    (up,) = live.of("WATCH_UP")
    assert (up["client_ip"], up["server_ip"], up["user"], up["bits"]) == (CLIENT, SERVER, "alice", 128)
    assert (up["local_call_id"], up["peer_call_id"], up["interface"]) == (200, 100, "test0")
    (end,) = live.of("WATCH_END")
    assert end["phase"] == "goodbye"
    assert end["packets_in"] > 60
    assert live.desk.watched == {}


def test_a_session_that_fails_is_kept_and_the_file_says_the_same(tmp_path: Path) -> None:
    live = LiveDesk.make(tmp_path).play(Scene().call().lcp().refuse().goodbye(False)).silence(OVER)
    (failed,) = live.of("WATCH_FAILED")
    assert failed["finding"] == "auth-rejected"
    assert 691 in failed["windows_codes"]
    assert any(fix.startswith("server: ") for fix in failed["fixes"])
    path = Path(failed["capture"])
    assert path.parent == tmp_path
    assert CLIENT in path.name
    assert "auth-rejected" in path.name
    again = diagnose([str(path)])
    assert again.findings(again.case.sessions[0])[0].id == "auth-rejected"
    assert (live.desk.tally.sessions, live.desk.tally.failures) == (1, 1)


def test_servers_on_another_port(tmp_path: Path) -> None:
    scene = Scene(server_port=7723).call().lcp().refuse().goodbye(False)
    live = LiveDesk.make(tmp_path, port=7723).play(scene).silence(OVER)
    (failed,) = live.of("WATCH_FAILED")
    assert failed["finding"] == "auth-rejected"
    again = diagnose([failed["capture"]])
    assert again.findings(again.case.sessions[0])[0].id == "auth-rejected"


def test_a_session_that_cannot_come_up_is_told_before_it_gives_up(tmp_path: Path) -> None:
    scene = Scene().call()
    for number in range(10):
        scene.ppp(True, 0xC021, 1, b"", number).wait(3.0)
    live = LiveDesk.make(tmp_path).play(scene)
    (sick,) = live.of("WATCH_FINDING")
    assert sick["finding"] in ("gre-missing-from-server", "server-link-died", "lcp-unanswered")
    assert sick["duration"] < 25
    assert Path(sick["capture"]).exists()
    live.silence(SILENT + 5)
    (failed,) = live.of("WATCH_FAILED")
    assert failed["capture"] == sick["capture"], "the longer capture takes the place of the first"


def test_gre_that_stops_is_told_while_the_session_goes_on() -> None:
    scene = Scene().up()
    for _ in range(8):
        scene.talk(4, 0.5)
    for _ in range(40):
        scene.data(True).wait(2.0)
    live = LiveDesk.make().play(scene)
    assert live.of("WATCH_FINDING") or live.of("WATCH_FAILED"), live.names()
    assert len({event["finding"] for event in live.of("WATCH_FINDING")}) == len(live.of("WATCH_FINDING"))


def test_two_sessions_of_one_pair_do_not_mix() -> None:
    good = Scene().up().talk(20)
    bad = Scene(port=40077, client_call=111, server_call=222).call().lcp().refuse().goodbye(False)
    both = good.together(bad)
    live = LiveDesk.make().play(both).silence(OVER)
    (failed,) = live.of("WATCH_FAILED")
    assert failed["finding"] == "auth-rejected"
    assert len(live.of("WATCH_UP")) <= 1
    assert [watched.key[1] for watched in live.desk.watched.values()] == [40000]


def test_a_tunnel_that_was_there_before_is_no_failure() -> None:
    scene = Scene().up().talk(60, 0.5)
    middle = Scene(now=scene.now)
    middle.frames = [frame for frame in scene.frames[30:] if frame[1][23] == 47]
    live = LiveDesk.make().play(middle).silence(SILENT + 5)
    assert live.of("WATCH_FAILED") == []
    assert live.of("WATCH_FINDING") == []


def test_a_look_at_the_port_and_other_tcp_are_nothing() -> None:
    live = LiveDesk.make().play(Scene().handshake().hang_up(True)).silence(OVER + NEVER_SPOKE)
    assert live.of("WATCH_FAILED") == []
    assert live.desk.watched == {}


def test_a_port_that_does_not_answer() -> None:
    scene = Scene()
    for pause in (1.0, 2.0, 4.0, 8.0):
        scene.tcp(True, SYN, sequence=1000).wait(pause)
    live = LiveDesk.make().play(scene).silence(NEVER_SPOKE + 5)
    (failed,) = live.of("WATCH_FAILED")
    assert failed["finding"] == "control-filtered"


def test_the_same_port_again_is_another_session() -> None:
    first = Scene().call().lcp().refuse().goodbye(False)
    second = Scene(now=first.now + 0.5, client_call=101, server_call=201).call().lcp().refuse().goodbye(False)
    live = LiveDesk.make().play(first).play(second).silence(OVER)
    assert len(live.of("WATCH_FAILED")) == 2


def test_the_same_again_and_again_is_told(tmp_path: Path) -> None:
    live = LiveDesk.make(tmp_path)
    scene = Scene()
    for number in range(3):
        again = fresh(scene, number).call().lcp().refuse().goodbye(False)
        live.play(again).silence(OVER)
        scene.now = again.now + 20
    (event,) = live.of("WATCH_RECURRING")
    assert (event["subject"], event["finding"], event["times"]) == (CLIENT, "auth-rejected", 3)
    assert len(event["captures"]) == 3


def test_an_end_in_the_middle_says_nothing_of_what_goes_on() -> None:
    live = LiveDesk.make().play(Scene().up())
    live.desk.close(live.now)
    assert "WATCH_FAILED" not in live.names()
    assert live.desk.watched == {}
    live = LiveDesk.make().play(Scene().call().lcp().refuse().goodbye(False))
    live.desk.close(live.now)
    assert live.names() == ["WATCH_FAILED"]


def test_what_could_not_be_seen_is_told_once_a_minute() -> None:
    live = LiveDesk.make().play(Scene().up())
    for _ in range(50):
        live.wait(1.0, lost=3)
    assert [event["lost"] for event in live.of("WATCH_IMPAIRED")] == [3]
    live.silence(30)
    assert sum(event["lost"] for event in live.of("WATCH_IMPAIRED")) == 150


def test_a_flood_of_strangers_does_not_push_sessions_out() -> None:
    live = LiveDesk.make().play(Scene().up())
    syn = struct.pack("!HHIIBBHHH", 5, 1723, 1, 0, 0x50, SYN, 1, 0, 0)
    for number in range(3000):
        source = f"203.0.{number >> 8}.{number & 255}"
        live.desk.take(Captured(live.now, 0x800, ip(source, SERVER, 6, syn), 40))
        live.desk.take(Captured(live.now, 0x800, ip(source, SERVER, 47, gre(number & 0xFFFF, b"\x00\x21x", 1)), 40))
    assert len(live.desk.watched) <= STRANGERS_MOST + 1
    assert [watched.begun and watched.spoke for watched in live.desk.watched.values()].count(True) == 1
    assert live.desk.tally.left_out > 2000


def test_call_ids_without_end_stay_with_their_session() -> None:
    live = LiveDesk.make().play(Scene().up())
    begin = time.process_time()
    for number in range(20_000):
        live.desk.take(Captured(live.now, 0x800, ip(CLIENT, SERVER, 47, gre(number & 0xFFFF, b"\x00\x21x", 1)), 40))
    assert len(live.desk.watched) == 1
    assert time.process_time() - begin < 60


def test_too_many_sessions_push_out_the_most_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTIONS_MOST", 5)
    live = LiveDesk.make()
    scene = Scene()
    for number in range(8):
        one = fresh(scene, number).up()
        live.play(one)
        scene.now = one.now
    assert sorted(watched.key[1] for watched in live.desk.watched.values()) == list(range(41003, 41008))
    assert CONNECTIONS_MOST > 5


@pytest.mark.parametrize("seed", range(12))
def test_hostile_packets_are_survived(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    packets = captured(Scene().up().talk(5).goodbye()) + captured(
        Scene().call().lcp().refuse().icmp(3, 2).goodbye(False)
    )
    live = LiveDesk.make(tmp_path)
    for _ in range(600):
        one = chance.choice(packets)
        octets = bytearray(one.octets[: chance.choice((len(one.octets), chance.randrange(len(one.octets) + 1)))])
        for _ in range(chance.randrange(4)):
            if octets:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        live.desk.take(
            Captured(one.nanoseconds, chance.choice((0x800, 0x86DD, 0x8100, 0x8864)), bytes(octets), len(octets))
        )
    live.now = packets[-1].nanoseconds
    live.silence(SILENT + 10)
    assert live.desk.watched == {}
