"""Asking at once whether the peer is there, as a dialer does when its network changed."""

from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import EchoRequest
from holdfast.control.stream import MessageStream
from holdfast.errors import DisconnectReason
from holdfast.events import ControlClosed


def established() -> tuple[ConnectionMachine, ConnectionMachine]:
    """Return a PNS and a PAC that know each other."""
    ours, theirs = (ConnectionMachine(role, ControlConfig()) for role in (Role.PNS, Role.PAC))
    ours.open(0.0)
    theirs.receive(b"".join(ours.outgoing()), 0.0)
    ours.receive(b"".join(theirs.outgoing()), 0.0)
    assert ours.established
    return ours, theirs


def test_an_answer_is_life() -> None:
    ours, theirs = established()
    ours.probe(1.0, 1.0)
    octets = b"".join(ours.outgoing())
    assert [type(message) for message in MessageStream().feed(octets)] == [EchoRequest]
    assert ours.awaits_echo
    theirs.receive(octets, 1.1)
    ours.receive(b"".join(theirs.outgoing()), 1.2)
    assert not ours.awaits_echo
    ours.handle_timer(2.5)
    assert ours.established


def test_no_answer_in_time_is_the_end() -> None:
    ours, _ = established()
    ours.probe(1.0, 1.0)
    assert ours.deadline == 2.0
    ours.handle_timer(2.0)
    (closed,) = [event for event in ours.events() if isinstance(event, ControlClosed)]
    assert closed.reason is DisconnectReason.ECHO_TIMEOUT


def test_before_there_is_a_connection_nothing_is_asked() -> None:
    machine = ConnectionMachine(Role.PNS, ControlConfig())
    machine.probe(0.0, 1.0)
    assert machine.outgoing() == []
    assert not machine.awaits_echo
