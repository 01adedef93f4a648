"""Servers that think: how long a request may take, and who is asked meanwhile."""

import hashlib

from holdfast.events import RadiusServerDown, RadiusServerUp
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Fault, Request
from support.radius_scene import FIRST, LOGIN, ONE, PUSH, Scene


def test_nobody_waits_longer_than_asked():
    scene = Scene(patience=5)
    scene.ask()
    scene.run(4.999)
    assert not scene.outcomes
    scene.run(5)
    scene.ask(Request(LOGIN.code, LOGIN.attributes, patience=60))
    scene.run()
    assert scene.now > 30


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
