"""What a control connection has to say and has not been asked for yet."""

from typing import TypeVar

from holdfast.control.commands import ControlCommand
from holdfast.control.messages import ControlMessage
from holdfast.events import ControlMessageSeen, Direction, Event

T = TypeVar("T")


class Outbox:
    """Octets, commands and events in order, until they are drained."""

    __slots__ = ("_commands", "_events", "_octets", "trace")

    def __init__(self, *, trace: bool) -> None:
        self.trace = trace
        self._octets: list[bytes] = []
        self._commands: list[ControlCommand] = []
        self._events: list[Event] = []

    def send(self, message: ControlMessage) -> None:
        """Let the peer have a message."""
        self._octets.append(message.encode())
        self._note(Direction.SENT, message)

    def received(self, message: ControlMessage) -> None:
        """Note a message that the peer sent."""
        self._note(Direction.RECEIVED, message)

    def command(self, command: ControlCommand) -> None:
        """Ask the driver for something."""
        self._commands.append(command)

    def withdraw(self, command: ControlCommand) -> None:
        """Take back a command that became pointless before it was drained."""
        if command in self._commands:
            self._commands.remove(command)

    def event(self, event: Event) -> None:
        """Tell a fact."""
        self._events.append(event)

    def drain_octets(self) -> list[bytes]:
        """Return and forget what is for the peer."""
        return _drain(self._octets)

    def drain_commands(self) -> list[ControlCommand]:
        """Return and forget what is for the driver."""
        return _drain(self._commands)

    def drain_events(self) -> list[Event]:
        """Return and forget the facts."""
        return _drain(self._events)

    @property
    def pending(self) -> bool:
        """Whether anything waits to be drained."""
        return bool(self._octets or self._commands or self._events)

    def _note(self, direction: Direction, message: ControlMessage) -> None:
        if self.trace:
            self._events.append(ControlMessageSeen(direction, message.name, message.fields_text()))


def _drain(things: list[T]) -> list[T]:
    drained = things.copy()
    things.clear()
    return drained
