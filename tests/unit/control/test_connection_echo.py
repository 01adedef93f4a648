"""Echo: RFC 2637 sections 2.5, 2.6 and 3.1.4."""

from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import (
    EchoReply,
    EchoRequest,
    SetLinkInfo,
)
from holdfast.errors import DisconnectReason
from holdfast.events import (
    ControlViolation,
)
from support.control_peer import drain, end_of, established, hear, said, told

CONFIG = ControlConfig(host_name="pac.example", vendor="Test", max_violations=3)


def accepted() -> ConnectionMachine:
    machine = ConnectionMachine(Role.PAC, CONFIG)
    machine.accepted(0.0)
    return machine


class TestEcho:
    """[2.5, 2.6, 3.1.4] 2."""

    def test_asked(self) -> None:
        machine = established(Role.PAC)
        hear(machine, EchoRequest(0xDEADBEEF))
        assert said(machine) == [EchoReply(0xDEADBEEF, 1, 0)]

    def test_asks_after_60_seconds_of_silence(self) -> None:
        machine = established(Role.PAC)
        hear(machine, EchoRequest(1), now=30.0)
        drain(machine)
        assert machine.deadline == 90.0
        machine.handle_timer(90.0)
        (request,) = said(machine)
        assert isinstance(request, EchoRequest)
        assert machine.deadline == 150.0

    def test_answered(self) -> None:
        machine = established(Role.PAC)
        machine.handle_timer(60.0)
        (request,) = said(machine)
        assert isinstance(request, EchoRequest)
        hear(machine, EchoReply(request.identifier, 1, 0), now=61.0)
        assert machine.deadline == 121.0
        assert told(machine, ControlViolation) == []

    def test_every_echo_has_its_own_identifier(self) -> None:
        machine = established(Role.PAC)
        identifiers = []
        for minute in range(1, 4):
            machine.handle_timer(60.0 * minute)
            (request,) = said(machine)
            assert isinstance(request, EchoRequest)
            identifiers.append(request.identifier)
            hear(machine, EchoReply(request.identifier, 1, 0), now=60.0 * minute)
        assert len(set(identifiers)) == 3

    def test_unanswered(self) -> None:
        machine = established(Role.PAC)
        machine.handle_timer(60.0)
        drain(machine)
        hear(machine, EchoRequest(1), now=100.0)
        drain(machine)
        machine.handle_timer(120.0)
        reason, detail = end_of(machine)
        assert reason is DisconnectReason.ECHO_TIMEOUT
        assert "60 s" in detail

    def test_wrong_identifier_is_no_answer(self) -> None:
        machine = established(Role.PAC)
        machine.handle_timer(60.0)
        (request,) = said(machine)
        assert isinstance(request, EchoRequest)
        hear(machine, EchoReply(request.identifier + 1, 1, 0), now=61.0)
        (violation,) = told(machine, ControlViolation)
        assert "identifier" in violation.detail
        assert machine.deadline == 120.0

    def test_reply_without_a_request(self) -> None:
        machine = established(Role.PAC)
        hear(machine, EchoReply(0, 1, 0))
        assert len(told(machine, ControlViolation)) == 1

    def test_a_reply_with_an_error_still_shows_life(self) -> None:
        machine = established(Role.PAC)
        machine.handle_timer(60.0)
        (request,) = said(machine)
        assert isinstance(request, EchoRequest)
        hear(machine, EchoReply(request.identifier, 2, 1), now=61.0)
        assert machine.deadline == 121.0

    def test_one_at_a_time(self) -> None:
        """Messages that are no answer neither prolong the wait nor start another."""
        machine = established(Role.PAC, ControlConfig(echo_interval=10, echo_timeout=30))
        machine.handle_timer(10.0)
        drain(machine)
        hear(machine, SetLinkInfo(9, 0, 0), now=15.0)
        machine.handle_timer(25.0)
        assert said(machine) == []
        assert machine.deadline == 40.0

    def test_configured(self) -> None:
        machine = established(Role.PAC, ControlConfig(echo_interval=10, echo_timeout=3))
        machine.handle_timer(10.0)
        machine.handle_timer(13.0)
        assert machine.closed

    def test_switched_off(self) -> None:
        assert established(Role.PAC, ControlConfig(echo_interval=0)).deadline is None

    def test_too_early(self) -> None:
        machine = accepted()
        hear(machine, EchoRequest(7))
        assert said(machine) == [EchoReply(7, 2, 1)]
        assert len(told(machine, ControlViolation)) == 1
