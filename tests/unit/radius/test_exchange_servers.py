"""Repetition, failover, health and shares: which server is asked, and when."""

import itertools

from holdfast.events import RadiusServerDown, RadiusServerUp
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Fault, Request, Sent, ServerConfig
from holdfast.radius.hiding import reveal_password
from holdfast.radius.packet import read_packet
from holdfast.secret import Secret
from support.radius_scene import FIRST, ONE, SECOND, TWO, Scene


def test_the_same_octets_are_repeated_with_growing_waits():
    scene = Scene(FIRST, tries=4, patience=100)
    scene.ask()
    times = [0.0]
    while len(times) < 4:
        scene.run(scene.exchange.deadline)
        if len(scene.sent) > len(times):
            times.append(scene.now)
    assert len({datagram.octets for datagram in scene.sent}) == 1
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(0.9 * due <= wait <= 1.1 * due for wait, due in zip(waits, (2, 4, 8), strict=True))


def test_failover_in_flight_hides_the_password_anew():
    scene = Scene()
    scene.ask()
    scene.run(19)
    assert [datagram.server for datagram in scene.sent] == [0, 0, 0, 1, 1]
    packet = read_packet(scene.sent[-1].octets)
    assert reveal_password(packet.values.octets("User-Password"), TWO, packet.authenticator) == Secret(b"password")
    assert [type(event) for event in scene.events] == [RadiusServerDown]
    scene.answer()
    assert scene.outcomes[0].server == "b"
    assert scene.outcomes[0].asked.in_vain == ("a",)


def test_a_conversation_is_continued_with_its_server_alone():
    scene = Scene()
    scene.ask(Request(Code.ACCESS_REQUEST, (attribute("State", b"s"),), only="b"))
    assert [datagram.server for datagram in scene.sent] == [1]
    scene.run()
    assert {datagram.server for datagram in scene.sent} == {1}
    assert scene.outcomes[0].fault is Fault.SILENT


def test_a_dead_server_is_asked_last_until_it_may_live_again():
    scene = Scene(dead_time=60)
    scene.ask()
    scene.run(16)
    scene.answer()
    scene.ask()
    assert scene.sent[-1].server == 1
    scene.answer()
    scene.run(90)
    scene.ask()
    assert scene.sent[-1].server == 0
    scene.answer()
    assert scene.events[-1] == RadiusServerUp("a")


def test_one_request_finds_out_for_all_whether_a_dead_server_lives():
    """All of them would wait for it, each minute anew, while another server answers at once."""
    scene = Scene(dead_time=60)
    scene.ask()
    scene.run(until=19)
    scene.answer()
    scene.now = 90.0
    for _ in range(3):
        scene.ask()
    assert [datagram.server for datagram in scene.sent[-3:]] == [0, 1, 1]
    scene.answer(scene.sent[-3])
    scene.ask()
    assert scene.sent[-1].server == 0


def test_when_all_are_dead_they_are_tried_all_the_same():
    scene = Scene()
    scene.ask()
    scene.run()
    assert scene.outcomes[0].fault is Fault.SILENT
    scene.ask()
    scene.answer()
    assert scene.outcomes[1].accepted


def test_a_closed_port_is_not_waited_for():
    scene = Scene()
    scene.ask()
    scene.exchange.unreachable(0, 0.0)
    scene.drain()
    assert [datagram.server for datagram in scene.sent] == [0, 1]


def test_equals_share_by_weight():
    scene = Scene(ServerConfig("a", ONE, weight=3), ServerConfig("b", TWO, weight=1))
    for _ in range(400):
        scene.ask()
        scene.answer()
    share = sum(outcome.server == "a" for outcome in scene.outcomes) / 400
    assert 0.68 < share < 0.82


RECORD = Request(Code.ACCOUNTING_REQUEST, (attribute("Acct-Session-Id", "s"), attribute("Acct-Delay-Time", 1)))
LATER = Request(Code.ACCOUNTING_REQUEST, (attribute("Acct-Session-Id", "s"), attribute("Acct-Delay-Time", 9)))


def test_a_successor_sends_the_same_octets_to_the_same_server_first():
    killed = Scene(FIRST, SECOND)
    for _ in range(3):
        killed.ask(RECORD)
    last = killed.sent[-1].octets
    successor = Scene(SECOND, FIRST, seed=2)
    successor.exchange.ask(LATER, 0.0, Sent("a", 40000, last))
    successor.drain()
    assert (successor.sent[0].server, successor.sent[0].lane, successor.sent[0].octets) == (1, 0, last)
    successor.answer(code=Code.ACCOUNTING_RESPONSE)
    assert successor.outcomes[0].accepted


def test_what_went_to_one_server_is_made_anew_for_another():
    killed = Scene(FIRST)
    killed.ask(RECORD)
    before = Sent("a", 40000, killed.sent[0].octets)
    successor = Scene(FIRST, SECOND)
    successor.exchange.ask(LATER, 0.0, before)
    successor.run()
    to_second = [one.octets for one in successor.sent if one.server == 1]
    assert read_packet(to_second[0]).values.integer("Acct-Delay-Time") == 9
    gone = Scene(SECOND)
    gone.exchange.ask(LATER, 0.0, before)
    gone.drain()
    assert gone.sent[0].octets != before.octets


def test_an_identifier_that_is_taken_is_not_taken_twice():
    scene = Scene(FIRST)
    scene.ask(RECORD)
    scene.exchange.ask(LATER, 0.0, Sent("a", 40000, scene.sent[0].octets))
    scene.drain()
    assert scene.sent[0].octets[1] != scene.sent[1].octets[1]
