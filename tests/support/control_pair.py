"""Two control connections that talk to each other in virtual time, and what they did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from holdfast.control.commands import AnswerCall, CloseTransport, ControlCommand
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import ControlMessage
from holdfast.control.stream import MessageStream
from holdfast.events import ControlMessageSeen, Event

Answer = Callable[["End", AnswerCall, float], None]


def accept(end: "End", request: AnswerCall, now: float) -> None:
    """Answer every call with yes and Call IDs from 1000 on."""
    end.next_call_id += 1
    end.machine.accept_call(request.peer_call_id, end.next_call_id, now)


def ponder(_end: "End", _request: AnswerCall, _now: float) -> None:
    """Answer no call at all."""


@dataclass
class End:
    """One machine with its driver: all that it ever said, asked for and told."""

    machine: ConnectionMachine
    config: ControlConfig
    answer: Answer = accept
    sent: list[ControlMessage] = field(default_factory=list)
    commands: list[ControlCommand] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    next_call_id: int = 999
    transport_open: bool = True
    on_the_way: bytes = b""
    """What was sent and is not delivered yet."""

    def drive(self, now: float) -> None:
        """Drain the machine and carry out what it wants."""
        octets = b"".join(self.machine.outgoing())
        while commands := self.machine.commands():
            for command in commands:
                self._execute(command, now)
            octets += b"".join(self.machine.outgoing())
        self.events += [event for event in self.machine.events() if not isinstance(event, ControlMessageSeen)]
        for message in MessageStream().feed(octets):
            assert isinstance(message, ControlMessage)
            self.sent.append(message)
        self.on_the_way += octets

    def take(self) -> bytes:
        """Return and forget what is on the way to the peer."""
        octets, self.on_the_way = self.on_the_way, b""
        return octets

    def _execute(self, command: ControlCommand, now: float) -> None:
        self.commands.append(command)
        if isinstance(command, AnswerCall):
            self.answer(self, command, now)
        elif isinstance(command, CloseTransport):
            self.transport_open = False

    def names(self) -> list[str]:
        """Return the names of the messages that were sent."""
        return [message.name for message in self.sent]

    def told(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def stop_and_continue(self) -> None:
        """Write the machine down and go on with what was written."""
        self.machine = ConnectionMachine.restore(self.config, self.machine.snapshot())


class Pair:
    """A PAC that was called and a PNS that called it, with a clock and a network between them."""

    def __init__(self, pac: ControlConfig | None = None, pns: ControlConfig | None = None) -> None:
        self.now = 0.0
        self.pac = _end(Role.PAC, pac or ControlConfig(host_name="pac.example", vendor="Test PAC"))
        self.pns = _end(Role.PNS, pns or ControlConfig(host_name="pns.example", vendor="Test PNS"))
        self.piece: int | None = None
        """Octets in one delivery, None for all there are."""
        self.restart = False
        """Whether both machines are written down and restored before each delivery."""
        self.deaf: set[Role] = set()
        """Who no longer hears anything."""

    def start(self) -> "Pair":
        """Establish the control connection."""
        self.pac.machine.accepted(self.now)
        self.pns.machine.open(self.now)
        return self.settle()

    def call(self, local_call_id: int = 0, serial_number: int = 1) -> "Pair":
        """Let the PNS place a call."""
        assert self.pns.machine.place_call(local_call_id, serial_number, self.now)
        return self.settle()

    def settle(self) -> "Pair":
        """Deliver until nobody has anything to say."""
        while True:
            self.pac.drive(self.now)
            self.pns.drive(self.now)
            from_pac, from_pns = self.pac.take(), self.pns.take()
            if not from_pac and not from_pns:
                return self
            self._deliver(from_pac, self.pns)
            self._deliver(from_pns, self.pac)

    def pass_time(self, seconds: float) -> "Pair":
        """Let the clock run, waking each machine when it wants it."""
        end = self.now + seconds
        while True:
            due = [deadline for each in (self.pac, self.pns) if (deadline := each.machine.deadline) is not None]
            if not due or min(due) > end:
                self.now = end
                return self
            self.now = max(self.now, *[min(due)])
            for each in (self.pac, self.pns):
                if self.restart:
                    each.drive(self.now)
                    each.stop_and_continue()
                each.machine.handle_timer(self.now)
            self.settle()

    def _deliver(self, octets: bytes, to: End) -> None:
        piece = self.piece or len(octets) or 1
        for offset in range(0, len(octets), piece):
            if to.transport_open and to.machine.role not in self.deaf:
                if self.restart:
                    to.drive(self.now)
                    to.stop_and_continue()
                to.machine.receive(octets[offset : offset + piece], self.now)


def _end(role: Role, config: ControlConfig) -> End:
    return End(ConnectionMachine(role, config), config)
