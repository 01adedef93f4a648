"""What waits to be drained."""

from holdfast.control.commands import CloseTransport
from holdfast.control.messages import EchoRequest
from holdfast.control.outbox import Outbox
from holdfast.events import ControlMessageSeen, ControlViolation, Direction


def test_each_thing_is_drained_once_and_in_order() -> None:
    outbox = Outbox(trace=True)
    outbox.send(EchoRequest(1))
    outbox.received(EchoRequest(2))
    outbox.command(CloseTransport("over"))
    outbox.event(ControlViolation("bad"))
    assert outbox.pending
    assert outbox.drain_octets() == [EchoRequest(1).encode()]
    assert outbox.drain_commands() == [CloseTransport("over")]
    assert outbox.drain_events() == [
        ControlMessageSeen(Direction.SENT, "Echo-Request", "identifier=1"),
        ControlMessageSeen(Direction.RECEIVED, "Echo-Request", "identifier=2"),
        ControlViolation("bad"),
    ]
    assert not outbox.pending
    assert (outbox.drain_octets(), outbox.drain_commands(), outbox.drain_events()) == ([], [], [])


def test_without_tracing_messages_are_not_told() -> None:
    outbox = Outbox(trace=False)
    outbox.send(EchoRequest(1))
    outbox.received(EchoRequest(2))
    assert outbox.drain_events() == []
    assert outbox.drain_octets() == [EchoRequest(1).encode()]


def test_a_pointless_command_is_taken_back() -> None:
    outbox = Outbox(trace=False)
    outbox.command(CloseTransport("over"))
    outbox.withdraw(CloseTransport("never asked"))
    outbox.withdraw(CloseTransport("over"))
    assert outbox.drain_commands() == []
