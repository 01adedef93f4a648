"""One control connection whose peer is the test: what to say to it, and what it said."""

from typing import TypeVar

from holdfast.control.commands import CloseTransport
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import (
    ControlMessage,
    OutgoingCallRequest,
    StartControlConnectionReply,
    StartControlConnectionRequest,
)
from holdfast.control.stream import MessageStream
from holdfast.errors import DisconnectReason
from holdfast.events import ControlClosed, Event

E = TypeVar("E", bound=Event)


def start_request(version: int = 0x0100) -> StartControlConnectionRequest:
    """Return the introduction of a client."""
    return StartControlConnectionRequest(version, 3, 3, 0, 2600, "client", "Microsoft")


def start_reply(result: int = 1, error: int = 0, version: int = 0x0100) -> StartControlConnectionReply:
    """Return the introduction of a server."""
    return StartControlConnectionReply(version, result, error, 3, 3, 0, 1, "server", "linux")


def outgoing_call(call_id: int = 1) -> OutgoingCallRequest:
    """Return a client's wish for a call: serial number 5, a window of 64 packets."""
    return OutgoingCallRequest(call_id, 5, 300, 100_000_000, 3, 3, 64, 0, 0, "", "")


def hear(machine: ConnectionMachine, *messages: ControlMessage, now: float = 1.0) -> None:
    """Let a machine receive some messages in one piece."""
    machine.receive(b"".join(message.encode() for message in messages), now)


def end_of(machine: ConnectionMachine) -> tuple[DisconnectReason, str]:
    """Return how the connection ended; it must be told once, and the transport be asked to close once."""
    (command,) = machine.commands()
    (event,) = told(machine, ControlClosed)
    assert isinstance(command, CloseTransport)
    assert command.detail == event.detail
    assert machine.closed
    assert machine.deadline is None
    return event.reason, event.detail


def said(machine: ConnectionMachine) -> list[ControlMessage]:
    """Return the messages that a machine has for its peer, and drain them."""
    messages = MessageStream().feed(b"".join(machine.outgoing()))
    return [message for message in messages if isinstance(message, ControlMessage)]


def told(machine: ConnectionMachine, kind: type[E]) -> list[E]:
    """Return the events of one kind that a machine has, and drain all."""
    return [event for event in machine.events() if isinstance(event, kind)]


def established(role: Role, config: ControlConfig | None = None) -> ConnectionMachine:
    """Return a machine whose peer has introduced itself at time 0, drained."""
    machine = ConnectionMachine(role, config or ControlConfig())
    machine.accepted(0.0)
    hear(machine, start_request(), now=0.0)
    assert machine.established
    drain(machine)
    return machine


def drain(machine: ConnectionMachine) -> None:
    """Forget what a machine has to say."""
    machine.outgoing()
    machine.commands()
    machine.events()
