"""Asking servers: answers, lies, identifiers."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.events import RadiusAnswerRefused
from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange import IDENTIFIERS, RadiusExchange
from holdfast.radius.exchange_state import Pending
from holdfast.radius.exchange_types import ExchangeConfig, Fault, Request
from holdfast.radius.hiding import reveal_password
from holdfast.radius.packet import read_packet
from holdfast.secret import Secret
from support.radius_scene import FIRST, LOGIN, ONE, Scene


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


def test_what_is_dropped_is_counted():
    scene = Scene(FIRST)
    scene.ask()
    for _ in range(3):
        scene.answer(secret=Secret(b"wrong"))
    scene.now = 61.0
    scene.answer(secret=Secret(b"wrong"))
    scene.answer()
    scene.answer()
    (state,) = scene.exchange.state()
    assert state == {"server": "a", "down": False, "waiting": 0, "refused": 4, "strays": 1}
    assert [event.times for event in scene.events] == [1, 3]


def test_a_late_answer_to_another_request_is_no_lie():
    """A slow server answers each of the tries; meanwhile the identifier may be somebody else's."""
    scene = Scene(FIRST)
    for _ in range(IDENTIFIERS):
        scene.ask()
    first = scene.sent[0]
    scene.answer(first)
    scene.ask()
    assert scene.sent[-1].octets[1] == first.octets[1]
    scene.answer(first)
    (state,) = scene.exchange.state()
    assert (state["refused"], state["strays"]) == (0, 1)
    assert not scene.events
    scene.answer(scene.sent[-1])
    assert len(scene.outcomes) == 2


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


def test_a_request_nobody_waits_for_any_more():
    scene = Scene(FIRST)
    token = scene.ask()
    scene.exchange.cancel(token)
    scene.exchange.cancel(token)
    scene.answer()
    assert not scene.outcomes
    assert scene.exchange.waiting == 0


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


class NeverWalked(dict[int, Pending]):
    """A table that may be asked by key alone."""

    def __iter__(self):
        raise AssertionError("walked through")

    values = items = keys = __iter__


def test_thousands_under_way_are_never_walked_through():
    """Each answer, each timer and each question for the next moment costs what it costs with one request."""
    scene = Scene(FIRST, max_lanes=20, patience=60)
    scene.exchange._pending = NeverWalked()
    for number in range(5000):
        scene.now = number / 1000
        scene.ask()
    scene.run(3)
    for datagram in list(scene.sent[:5000]):
        assert scene.exchange.deadline is not None
        scene.answer(datagram)
    assert len(scene.outcomes) == 5000
    assert all(outcome.accepted for outcome in scene.outcomes)
    scene.run()
    assert scene.exchange.deadline is None
