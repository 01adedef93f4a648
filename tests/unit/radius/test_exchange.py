"""Asking servers: repetition, failover, identifiers, health, lies."""

import hashlib
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.events import RadiusAnswerRefused, RadiusServerDown, RadiusServerUp
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange import RadiusExchange
from holdfast.radius.exchange_types import ExchangeConfig, Fault, Outcome, Request, Sent, ServerConfig
from holdfast.radius.hiding import reveal_password
from holdfast.radius.packet import read_packet, write_reply
from holdfast.secret import Secret

ONE, TWO = Secret(b"one"), Secret(b"two")
FIRST = ServerConfig("a", ONE)
SECOND = ServerConfig("b", TWO, priority=2)
LOGIN = Request(Code.ACCESS_REQUEST, (attribute("User-Name", "alice"),), Secret(b"password"))


class Scene:
    """An exchange in virtual time; servers answer when the test says so."""

    def __init__(self, *servers: ServerConfig, seed: int = 1, **config) -> None:
        self.now = 0.0
        self.servers = servers or (FIRST, SECOND)
        self.exchange = RadiusExchange(self.servers, ExchangeConfig(**config), random.Random(seed).randbytes)
        self.sent: list = []
        self.probes: list = []
        self.outcomes: list[Outcome] = []
        self.events: list = []

    def drain(self) -> None:
        for datagram in self.exchange.outgoing():
            asked = datagram.octets[0] == Code.STATUS_SERVER
            (self.probes if asked else self.sent).append(datagram)
        self.outcomes += self.exchange.outcomes()
        self.events += self.exchange.events()

    def ask(self, request: Request = LOGIN) -> int:
        token = self.exchange.ask(request, self.now)
        self.drain()
        return token

    def run(self, until: float = 1e9) -> None:
        while (deadline := self.exchange.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.exchange.handle_timer(self.now)
            self.drain()
        self.now = max(self.now, until if until < 1e9 else self.now)

    def answer(
        self, datagram=None, code: int = Code.ACCESS_ACCEPT, secret: Secret | None = None, attributes=()
    ) -> None:
        datagram = datagram or self.sent[-1]
        shared = secret or self.servers[datagram.server].secret
        reply = write_reply(code, read_packet(datagram.octets), attributes, shared)
        self.exchange.receive(datagram.server, datagram.lane, reply, self.now)
        self.drain()


def test_an_answer_ends_the_waiting():
    scene = Scene()
    token = scene.ask()
    (datagram,) = scene.sent
    packet = read_packet(datagram.octets)
    assert reveal_password(packet.values.octets("User-Password"), ONE, packet.authenticator) == Secret(b"password")
    scene.answer(attributes=[attribute("Session-Timeout", 60)])
    (outcome,) = scene.outcomes
    assert (outcome.token, outcome.server, outcome.accepted, outcome.fault) == (token, "a", True, None)
    assert outcome.packet.values.integer("Session-Timeout") == 60
    assert outcome.asked.code == Code.ACCESS_REQUEST
    assert scene.exchange.deadline is None


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


def test_when_all_are_dead_they_are_tried_all_the_same():
    scene = Scene()
    scene.ask()
    scene.run()
    assert scene.outcomes[0].fault is Fault.SILENT
    scene.ask()
    scene.answer()
    assert scene.outcomes[1].accepted


def test_nobody_waits_longer_than_asked():
    scene = Scene(patience=5)
    scene.ask()
    scene.run(4.999)
    assert not scene.outcomes
    scene.run(5)
    scene.ask(Request(LOGIN.code, LOGIN.attributes, patience=60))
    scene.run()
    assert scene.now > 30


def test_a_wrong_secret_is_told_apart_from_silence():
    scene = Scene(FIRST)
    scene.ask()
    for _ in range(5):
        scene.answer(secret=Secret(b"wrong"))
    assert not scene.outcomes
    scene.run()
    assert scene.outcomes[0].fault is Fault.WRONG_SECRET
    assert [type(event) for event in scene.events] == [RadiusAnswerRefused]
    assert "secret" in scene.events[0].detail


def test_the_true_answer_counts_after_a_forged_one():
    scene = Scene(FIRST)
    scene.ask()
    scene.answer(secret=Secret(b"wrong"), code=Code.ACCESS_REJECT)
    scene.answer()
    assert scene.outcomes[0].accepted


@pytest.mark.parametrize("code", [Code.ACCESS_REQUEST, Code.ACCOUNTING_RESPONSE, Code.COA_ACK])
def test_an_answer_of_another_kind_is_none(code):
    scene = Scene(FIRST)
    scene.ask()
    scene.answer(code=code)
    assert not scene.outcomes


def test_answers_to_nothing_and_answers_twice():
    scene = Scene(FIRST)
    scene.exchange.receive(0, 0, bytes(20), 0)
    scene.exchange.receive(7, 0, bytes(20), 0)
    scene.exchange.receive(0, 0, b"", 0)
    scene.ask()
    scene.answer()
    scene.answer()
    assert len(scene.outcomes) == 1


def test_ports_are_added_as_needed_and_no_identifier_is_used_twice():
    scene = Scene(FIRST, max_lanes=2)
    for _ in range(513):
        scene.ask()
    places = {(datagram.lane, datagram.octets[1]) for datagram in scene.sent}
    assert len(places) == 512
    assert [outcome.fault for outcome in scene.outcomes] == [Fault.BUSY]
    scene.answer(scene.sent[5])
    scene.ask()
    assert len(scene.sent) == 513


def test_a_closed_port_is_not_waited_for():
    scene = Scene()
    scene.ask()
    scene.exchange.unreachable(0, 0.0)
    scene.drain()
    assert [datagram.server for datagram in scene.sent] == [0, 1]


def test_a_request_nobody_waits_for_any_more():
    scene = Scene(FIRST)
    token = scene.ask()
    scene.exchange.cancel(token)
    scene.exchange.cancel(token)
    scene.answer()
    assert not scene.outcomes
    assert scene.exchange.waiting == 0


def test_equals_share_by_weight():
    scene = Scene(ServerConfig("a", ONE, weight=3), ServerConfig("b", TWO, weight=1))
    for _ in range(400):
        scene.ask()
        scene.answer()
    share = sum(outcome.server == "a" for outcome in scene.outcomes) / 400
    assert 0.68 < share < 0.82


def test_an_accounting_response_carries_no_message_authenticator():
    scene = Scene(FIRST)
    scene.ask(Request(Code.ACCOUNTING_REQUEST, LOGIN.attributes))
    request = scene.sent[-1].octets
    unsigned = bytes((Code.ACCOUNTING_RESPONSE, request[1])) + (20).to_bytes(2) + request[4:20]
    reply = unsigned[:4] + hashlib.md5(unsigned + ONE.reveal()).digest()
    scene.exchange.receive(0, 0, reply, 0.0)
    scene.drain()
    assert scene.outcomes[0].accepted


def test_accounting_needs_no_random_authenticator():
    scene = Scene(FIRST)
    scene.ask(Request(Code.ACCOUNTING_REQUEST, LOGIN.attributes))
    scene.answer(code=Code.ACCOUNTING_RESPONSE)
    assert scene.outcomes[0].accepted


def test_no_servers():
    with pytest.raises(ValueError, match="no RADIUS server"):
        RadiusExchange([], ExchangeConfig(), random.randbytes)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["ask", "answer", "old", "lie", "wait", "unreachable"]), max_size=40), st.integers(0, 99)
)
def test_every_request_has_exactly_one_outcome(steps, seed):
    scene = Scene(seed=seed)
    asked = []
    for step in steps:
        if step == "ask":
            asked.append(scene.ask())
        elif step == "wait":
            scene.run(scene.now + 3)
        elif step == "unreachable":
            scene.exchange.unreachable(0, scene.now)
            scene.drain()
        elif scene.sent:
            datagram = scene.sent[0] if step == "old" else scene.sent[-1]
            scene.answer(datagram, secret=Secret(b"lie") if step == "lie" else None)
    scene.run()
    assert sorted(outcome.token for outcome in scene.outcomes) == asked
    assert scene.exchange.waiting == 0
    assert not any(lane for server in scene.exchange._servers for lane in server.lanes)


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


PUSH = Request(Code.ACCESS_REQUEST, (attribute("User-Name", "alice"),), patience=60)


def test_a_server_that_lives_may_think():
    """A person confirms on a telephone: the next server is not asked meanwhile, which would ask them again."""
    scene = Scene()
    scene.ask(PUSH)
    scene.run(3)
    (probe,) = scene.probes
    scene.answer(probe)
    assert not scene.outcomes
    scene.run(40)
    assert {datagram.server for datagram in scene.sent} == {0}
    assert len({datagram.octets for datagram in scene.sent}) == 1
    assert not scene.events
    scene.answer(scene.sent[0])
    assert scene.outcomes[0].accepted
    assert scene.exchange.waiting == 0


def test_a_sign_of_life_needs_no_signature():
    """It decides nothing, and FreeRADIUS before 3.2.5 cannot be told to sign it."""
    scene = Scene()
    scene.ask(PUSH)
    scene.run(3)
    octets = scene.probes[0].octets
    unsigned = bytes((Code.ACCESS_ACCEPT, octets[1])) + (20).to_bytes(2) + octets[4:20]
    scene.exchange.receive(0, 0, unsigned[:4] + hashlib.md5(unsigned + ONE.reveal()).digest(), scene.now)
    scene.run(40)
    assert {datagram.server for datagram in scene.sent} == {0}
    assert not scene.events


def test_the_next_server_gets_its_time_all_the_same():
    scene = Scene()
    scene.ask(PUSH)
    scene.run(3)
    scene.answer(scene.probes[0])
    scene.run(45.9)
    assert {datagram.server for datagram in scene.sent} == {0}
    scene.run(59)
    assert [datagram.server for datagram in scene.sent[-3:]] == [1, 1, 1]
    scene.run(60)
    assert scene.outcomes[0].fault is Fault.SILENT


def test_the_last_server_is_waited_for_even_if_it_gives_no_sign_of_life():
    scene = Scene(FIRST)
    scene.ask(PUSH)
    scene.run(50)
    assert [type(event) for event in scene.events] == [RadiusServerDown]
    scene.answer(scene.sent[0])
    assert scene.outcomes[0].accepted
    assert [type(event) for event in scene.events] == [RadiusServerDown, RadiusServerUp]


def test_one_that_thinks_holds_up_no_other():
    scene = Scene(FIRST)
    scene.ask(PUSH)
    for _ in range(50):
        scene.run(scene.now + 1)
        scene.ask()
        scene.answer()
    assert len(scene.outcomes) == 50
    assert scene.exchange.waiting == 1


TLS = ServerConfig("t", ONE, reliable=True)


def over_tls(*servers: ServerConfig, **config) -> Scene:
    scene = Scene(*servers, **config)
    scene.exchange.connected(0, 0, 0.0)
    return scene


def broken(scene: Scene, *, was_open: bool = True) -> None:
    scene.exchange.disconnected(0, 0, scene.now, "it broke", was_open=was_open)
    scene.drain()


def test_on_a_connection_nothing_is_repeated():
    scene = over_tls(TLS, SECOND)
    scene.ask()
    scene.run(13.9)
    assert len(scene.sent) == 1
    scene.run(14)
    assert [datagram.server for datagram in scene.sent] == [0, 1]


def test_what_waits_when_a_connection_breaks_goes_out_on_another_and_not_for_ever():
    scene = over_tls(TLS, SECOND)
    scene.ask()
    broken(scene)
    broken(scene)
    assert [datagram.server for datagram in scene.sent] == [0, 0, 0]
    assert len({datagram.octets for datagram in scene.sent}) == 3
    scene.answer(scene.sent[0])  # what comes on the new connection for the old request is for nobody
    assert not scene.outcomes
    broken(scene)
    assert scene.sent[-1].server == 1
    assert scene.events[0].detail == "it broke"


def test_a_connection_that_never_came_is_failed_over_at_once():
    scene = Scene(TLS, SECOND)
    scene.ask()
    broken(scene, was_open=False)
    assert [datagram.server for datagram in scene.sent] == [0, 1]


def test_a_silent_connection_of_a_server_that_answers_probes_is_closed():
    scene = over_tls(TLS, patience=60)
    scene.ask()
    scene.run(2)
    scene.answer(scene.probes[0])
    scene.answer()
    scene.run(3)
    scene.ask()
    scene.run(16.9)
    assert scene.exchange.closing() == []
    scene.run(17)
    assert scene.exchange.closing() == [(0, 0)]
    broken(scene)
    assert len(scene.sent) == 3
    scene.answer()
    assert [outcome.accepted for outcome in scene.outcomes] == [True, True]


def test_a_server_that_answers_no_probes_may_think_on_its_connection():
    """Closing it would send the request again, and the telephone would ring twice."""
    scene = over_tls(TLS)
    scene.ask(PUSH)
    scene.run(55)
    assert len(scene.probes) == 2
    assert scene.exchange.closing() == []
    assert len(scene.sent) == 1
    scene.answer()
    assert scene.outcomes[0].accepted


def test_a_connection_on_which_a_request_ran_out_is_closed():
    scene = over_tls(TLS)
    scene.ask()
    scene.run(20)
    assert scene.outcomes[0].fault is Fault.SILENT
    assert scene.exchange.closing() == [(0, 0)]


def test_lies_on_a_connection_close_it():
    scene = over_tls(TLS)
    scene.ask()
    scene.answer(secret=TWO)
    assert scene.exchange.closing() == [(0, 0)]


def test_an_idle_connection_is_asked_for_a_sign_of_life():
    scene = over_tls(TLS)
    scene.ask()
    scene.answer()
    scene.run(30)
    assert len(scene.probes) == 1
    scene.answer(scene.probes[0])
    scene.run(59)
    assert len(scene.probes) == 1
    scene.run(60)
    assert len(scene.probes) == 2
    assert not scene.exchange.closing()
    scene.run(70)
    assert scene.exchange.closing() == [(0, 0)]
    broken(scene)
    assert (scene.exchange.deadline, scene.exchange.waiting, scene.outcomes) == (None, 0, scene.outcomes[:1])
