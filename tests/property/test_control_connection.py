"""Any octets, any messages, any verbs, any clock: a connection never raises, ends when it should, and stays small."""

from dataclasses import fields
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from holdfast.control.commands import AnswerCall, CloseTransport
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import (
    MESSAGES,
    ControlMessage,
    StartControlConnectionReply,
    StartControlConnectionRequest,
)
from holdfast.control.stream import MAX_MESSAGE_SIZE
from holdfast.errors import DisconnectReason
from holdfast.events import CallCleared, CallEstablished, CallRefused, ControlClosed, ControlMessageSeen, Event

CONFIG = ControlConfig(max_calls=3, max_violations=20, accept_incoming_calls=True)

call_ids = st.integers(0, 3)


def message_of(cls: type[ControlMessage]) -> st.SearchStrategy[ControlMessage]:
    """Return messages of one kind, with numbers that are often those of a living call or a known code."""
    values = [
        st.text(max_size=70)
        if part.name in TEXTS
        else st.sampled_from((0x0100, 0x0100, 0))
        if "version" in part.name
        else st.integers(0, 9) | st.sampled_from((64, 255))
        for part in fields(cls)
    ]
    return st.builds(cls, *values)


TEXTS = {
    "host_name",
    "vendor_string",
    "phone_number",
    "subaddress",
    "dialed_number",
    "dialing_number",
    "call_statistics",
}
messages = st.one_of([message_of(cls) for cls in MESSAGES])


class Connection(RuleBasedStateMachine):
    """A peer that sends anything well formed or not, an owner that wants anything, and time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.events: list[Event] = []
        self.close_commands = 0
        self.unanswered: set[int] = set()

    @initialize(role=st.sampled_from(Role), originator=st.booleans(), introduced=st.integers(0, 3))
    def begin(self, role: Role, originator: bool, introduced: int) -> None:
        self.machine = ConnectionMachine(role, CONFIG)
        if originator:
            self.machine.open(self.now)
        else:
            self.machine.accepted(self.now)
        if introduced:  # mostly, for there is more to see then
            request = StartControlConnectionRequest(0x0100, 3, 3, 0, 1, "", "")
            reply = StartControlConnectionReply(0x0100, 1, 0, 3, 3, 0, 1, "", "")
            self.machine.receive((reply if originator else request).encode(), self.now)
            assert self.machine.established

    @rule(message=messages, cut=st.integers(0, 230))
    def hear(self, message: ControlMessage, cut: int) -> None:
        octets = message.encode()
        self.machine.receive(octets[:cut], self.now)
        self.machine.receive(octets[cut:], self.now)

    @rule(sequence=st.lists(messages, min_size=2, max_size=6))
    def hear_several(self, sequence: list[ControlMessage]) -> None:
        self.machine.receive(b"".join(message.encode() for message in sequence), self.now)

    @rule(octets=st.binary(min_size=1, max_size=30), luck=st.integers(0, 9))
    def hear_noise(self, octets: bytes, luck: int) -> None:
        if luck == 0:  # rarely, or no life would be long
            self.machine.receive(octets, self.now)

    @rule(seconds=st.sampled_from([0.0, 0.5, 6.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.machine.handle_timer(self.now)

    @rule(peer_call_id=call_ids, accepts=st.booleans())
    def answer(self, peer_call_id: int, accepts: bool) -> None:
        if accepts:
            self.owner(self.machine.accept_call, peer_call_id, peer_call_id + 4, self.now)
        else:
            self.machine.refuse_call(peer_call_id, 2, 4, self.now)

    @rule(local_call_id=call_ids)
    def place(self, local_call_id: int) -> None:
        self.owner(self.machine.place_call, local_call_id, 1, self.now)
        self.owner(self.machine.announce_call, local_call_id, 1, self.now)

    @rule(local_call_id=st.integers(0, 7))
    def clear(self, local_call_id: int) -> None:
        self.machine.clear_call(local_call_id, self.now)

    @rule(luck=st.integers(0, 9))
    def leave(self, luck: int) -> None:
        if luck == 0:
            self.machine.close(DisconnectReason.ADMIN, self.now)

    @rule()
    def stop_and_continue(self) -> None:
        self.drain()
        state = self.machine.snapshot()
        self.machine = ConnectionMachine.restore(CONFIG, state)
        assert self.machine.snapshot() == state

    def owner(self, verb: Any, *arguments: Any) -> None:
        """An owner may only be told off for a Call ID that it uses twice."""
        try:
            verb(*arguments)
        except ValueError as error:
            assert "in use" in str(error)  # noqa: PT017

    def drain(self) -> None:
        octets = self.machine.outgoing()
        assert all(len(message) <= 220 for message in octets)
        for command in self.machine.commands():
            self.close_commands += isinstance(command, CloseTransport)
            assert not (isinstance(command, AnswerCall) and self.machine.closed)
        self.events += [event for event in self.machine.events() if not isinstance(event, ControlMessageSeen)]

    @invariant()
    def bounded(self) -> None:
        if not hasattr(self, "machine"):
            return
        assert self.machine.call_count <= CONFIG.max_calls

    @invariant()
    def ends_once(self) -> None:
        if not hasattr(self, "machine"):
            return
        self.drain()
        assert len(self.machine.snapshot()["stream"]["buffer"]) <= MAX_MESSAGE_SIZE
        closed = [event for event in self.events if isinstance(event, ControlClosed)]
        assert len(closed) == self.close_commands == self.machine.closed
        if self.machine.closed:
            assert self.machine.deadline is None
            assert self.machine.call_count == 0

    @invariant()
    def calls_balance(self) -> None:
        """Living calls are those that were established and not cleared; no call ends that never was."""
        up: set[int] = set()
        for event in self.events:
            if isinstance(event, CallEstablished):
                assert event.local_call_id not in up
                up.add(event.local_call_id)
            elif isinstance(event, CallCleared):
                up.discard(event.local_call_id)
            elif isinstance(event, CallRefused):
                assert event.local_call_id not in up
        if hasattr(self, "machine") and self.machine.closed:
            assert up == set()

    def teardown(self) -> None:
        """Whatever happened, silence ends it in two minutes (a living connection: by its echo)."""
        if not hasattr(self, "machine"):
            return
        for _ in range(20):
            if (deadline := self.machine.deadline) is None:
                break
            self.now = max(self.now, deadline)
            self.machine.handle_timer(self.now)
        assert self.machine.closed


TestConnection = Connection.TestCase
TestConnection.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.sampled_from(Role), st.lists(st.binary(max_size=64), max_size=10))
def test_random_octets(role: Role, pieces: list[bytes]) -> None:
    machine = ConnectionMachine(role, CONFIG)
    machine.accepted(0.0)
    for octets in pieces:
        machine.receive(octets, 0.0)
    machine.handle_timer(10.0)
    assert machine.closed
