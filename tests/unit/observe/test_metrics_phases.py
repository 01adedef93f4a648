"""Phases: what is timed, and what is forgotten."""

from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationSucceeded, CallEstablished, Connected, ControlEstablished, IpOpened
from holdfast.observe import metrics_phases
from holdfast.observe.metrics_phases import Phases

FIRST = {"connection": "c", "session": "s1"}
SECOND = {"connection": "c", "session": "s2"}
CALL = CallEstablished(1, 2, 0, 0, 64)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_second_call_of_a_connection_is_timed_from_its_own_beginning():
    phases = Phases(Clock())
    phases.reached(Connected("a", "b"), {"connection": "c"})
    assert list(phases.reached(ControlEstablished("", "", 0, 256), {"connection": "c"})) == [("control", 1.0)]
    assert list(phases.reached(CALL, FIRST)) == [("call", 1.0)]
    assert list(phases.reached(CALL, SECOND)) == []
    assert list(phases.reached(IpOpened("a", "b"), SECOND)) == [("network", 1.0)]
    assert list(phases.reached(IpOpened("a", "b"), FIRST)) == [("network", 3.0), ("total", 5.0)]


def test_what_happens_again_is_no_phase():
    phases = Phases(Clock())
    phases.reached(CALL, FIRST)
    assert phases.reached(IpOpened("a", "b"), FIRST)
    assert phases.came_up(FIRST)
    assert not phases.came_up(FIRST)
    assert list(phases.reached(IpOpened("a", "b"), FIRST)) == []
    assert list(phases.reached(AuthenticationSucceeded("pap", "me", by_peer=False), SECOND)) == []


def test_what_ended_is_forgotten():
    phases = Phases(Clock())
    phases.reached(Connected("a", "b"), {"connection": "c"})
    phases.reached(CALL, FIRST)
    assert phases.session_ended(FIRST, DisconnectReason.USER_REQUEST) == "lcp"
    assert phases.connection_closed(FIRST)
    assert not phases._sessions
    assert not phases._connections
    assert not phases.connection_closed(FIRST)
    assert phases.session_ended(FIRST, DisconnectReason.USER_REQUEST) == "call"


def test_a_flood_of_connections_takes_no_more_than_so_much_memory(monkeypatch):
    monkeypatch.setattr(metrics_phases, "MAX_TRACKED", 3)
    phases = Phases(Clock())
    for number in range(10):
        phases.reached(Connected("a", "b"), {"connection": str(number)})
        phases.reached(CALL, {"session": str(number)})
    assert len(phases._connections) == len(phases._sessions) == 3
