"""What a peer does wrong, and what it gets. Sections of RFC 2637 in brackets."""

import pytest

from holdfast.control.commands import CloseTransport
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import (
    HEADER,
    EchoReply,
    EchoRequest,
    IncomingCallReply,
    IncomingCallRequest,
    OutgoingCallReply,
    SetLinkInfo,
    StopControlConnectionRequest,
)
from holdfast.errors import DisconnectReason
from holdfast.events import (
    ControlClosed,
    ControlMessageSeen,
    ControlViolation,
    Event,
)
from support.control_peer import end_of, established, hear, outgoing_call, said, told

CONFIG = ControlConfig(host_name="pac.example", vendor="Test", max_violations=3)


def accepted() -> ConnectionMachine:
    machine = ConnectionMachine(Role.PAC, CONFIG)
    machine.accepted(0.0)
    return machine


class TestViolations:
    @pytest.mark.parametrize(
        "octets",
        [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", HEADER.pack(20, 1, 0x1A2B3C4D, 5, 0), bytes(12)],
    )
    def test_lost_framing_closes_at_once(self, octets: bytes) -> None:
        """[1.4]"""
        for machine in (accepted(), established(Role.PAC)):
            machine.receive(octets, 1.0)
            assert said(machine) == []
            events = machine.events()
            assert [type(event) for event in events] == [ControlViolation, ControlClosed]
            assert [type(command) for command in machine.commands()] == [CloseTransport]
            assert machine.closed

    def test_an_undefined_message_closes(self) -> None:
        """[3]"""
        machine = established(Role.PAC)
        machine.receive(HEADER.pack(12, 1, 0x1A2B3C4D, 16, 0), 1.0)
        assert said(machine) == [StopControlConnectionRequest(1)]
        reason, detail = end_of(machine)
        assert reason is DisconnectReason.PROTOCOL_FAILURE
        assert "16" in detail

    def test_a_management_message_is_passed_over(self) -> None:
        """[1.4] They may be defined one day."""
        machine = established(Role.PAC)
        machine.receive(HEADER.pack(12, 2, 0x1A2B3C4D, 1, 0) + EchoRequest(3).encode(), 1.0)
        assert said(machine) == [EchoReply(3, 1, 0)]
        assert len(told(machine, ControlViolation)) == 1

    def test_so_many_and_no_more(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, *[SetLinkInfo(9, 0, 0)] * 10)
        events: list[Event] = [event for event in machine.events() if not isinstance(event, ControlMessageSeen)]
        assert [type(event) for event in events] == [ControlViolation] * 3 + [ControlClosed]
        assert isinstance(events[-1], ControlClosed)
        assert events[-1].reason is DisconnectReason.PROTOCOL_FAILURE
        assert said(machine) == [StopControlConnectionRequest(1)]

    def test_calls_before_the_introduction(self) -> None:
        """[2.1]"""
        machine = accepted()
        hear(machine, outgoing_call(9), IncomingCallRequest(8, 1, 1, 0, 0, 0, "", "", ""))
        assert said(machine) == [
            OutgoingCallReply(0, 9, 2, 1, 0, 0, 0, 0, 0),
            IncomingCallReply(0, 8, 2, 1, 0, 0),
        ]
        hear(machine, SetLinkInfo(0, 0, 0))
        assert machine.closed
