from pathlib import Path

from holdfast.capture.session import Kind, Phase
from support.scene import CLIENT, SERVER, Scene


def test_gre_goes_to_its_call_by_call_id_in_both_directions(tmp_path: Path) -> None:
    first = Scene(client_call=1, server_call=11).up()
    second = Scene(port=40001, client_call=2, server_call=22, now=first.now).up()
    sessions = first.together(second).case(tmp_path).sessions
    assert [(each.up[0].call_id, each.down[0].call_id) for each in sessions] == [(11, 1), (22, 2)]


def test_the_same_call_ids_again_belong_to_the_later_call(tmp_path: Path) -> None:
    first = Scene().up().goodbye()
    second = Scene(port=40001, now=first.now + 5).up().talk(20)
    one, two = first.together(second).case(tmp_path).sessions
    assert one.data_packets(up=True) == 10
    assert two.data_packets(up=True) == 30


def test_gre_without_control_is_paired_and_the_server_is_known(tmp_path: Path) -> None:
    scene = Scene(client=SERVER, server=CLIENT)
    scene.numbers = {True: 5, False: 9}
    (session,) = scene.lcp().authenticate().talk().case(tmp_path).sessions
    assert (session.kind, session.client, session.server) == (Kind.GRE, SERVER, CLIENT)
    assert session.user == "alice"


def test_two_calls_on_one_connection_are_two_sessions(tmp_path: Path) -> None:
    scene = Scene().up()
    scene.client_call, scene.server_call, scene.numbers = 101, 201, {True: 0, False: 0}
    scene.call_request().call_reply().lcp().authenticate(b"bob").encrypt().address("10.77.0.3").talk()
    one, two = scene.case(tmp_path).sessions
    assert (one.user, two.user) == ("alice", "bob")
    assert one.siblings == two.siblings == 1
    assert one.phase is two.phase is Phase.TRAFFIC


def test_without_pptp_there_is_nothing(tmp_path: Path) -> None:
    case = Scene().udp((CLIENT, 1), (SERVER, 2), b"x").case(tmp_path)
    assert case.sessions == []
    assert case.orderly


def test_sessions_are_numbered_by_time(tmp_path: Path) -> None:
    late, early = Scene(now=2000.0).up(), Scene(client="192.0.2.11", now=1000.0).up()
    assert [(each.id, each.client) for each in late.together(early).case(tmp_path).sessions] == [
        ("s1", "192.0.2.11"),
        ("s2", CLIENT),
    ]


def test_a_capture_from_the_middle_is_one_session(tmp_path: Path) -> None:
    scene = Scene(client="10.0.0.9", server="10.0.0.1").up().talk(10).goodbye()
    scene.frames = [frame for number, frame in enumerate(scene.frames) if number > 30]
    (session,) = scene.case(tmp_path).sessions
    assert session.kind is Kind.PPTP
    assert (session.client, session.server) == ("10.0.0.9", "10.0.0.1")
    assert session.up
    assert session.down


def test_two_of_them_between_the_same_addresses_are_left_apart(tmp_path: Path) -> None:
    scenes = [Scene(port=40000 + n, client_call=n + 1, server_call=n + 11).up().talk(5).goodbye() for n in range(2)]
    both = scenes[0].together(scenes[1])
    both.frames = both.frames[60:]
    kinds = [session.kind for session in both.case(tmp_path).sessions]
    assert kinds.count(Kind.GRE) == 2


def test_a_handshake_written_down_in_the_wrong_order_is_one_connection(tmp_path: Path) -> None:
    scene = Scene().up()
    scene.frames[:2] = [(scene.frames[0][0], scene.frames[1][1]), (scene.frames[1][0], scene.frames[0][1])]
    (session,) = scene.case(tmp_path).sessions
    assert session.phase is Phase.TRAFFIC
