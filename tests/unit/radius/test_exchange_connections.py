"""Lanes that are connections (RADIUS over TLS): they break, fall silent, and are watched."""

from holdfast.radius.exchange_types import Fault, ServerConfig
from support.radius_scene import ONE, PUSH, SECOND, TWO, Scene

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
