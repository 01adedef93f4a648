"""The connection: start, echo, stop, violations, ends. Sections of RFC 2637 in brackets."""

from collections.abc import Callable

import pytest

from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.connection_table import ConnectionState
from holdfast.control.messages import (
    CallClearRequest,
    EchoReply,
    EchoRequest,
    SetLinkInfo,
    StartControlConnectionReply,
    StartControlConnectionRequest,
    StopControlConnectionReply,
    StopControlConnectionRequest,
)
from holdfast.errors import ControlEnd, DisconnectReason
from holdfast.events import (
    CallCleared,
    ControlClosed,
    ControlEstablished,
    ControlMessageSeen,
    ControlViolation,
    Direction,
)
from support.control_peer import drain, end_of, established, hear, outgoing_call, said, start_reply, start_request, told

CONFIG = ControlConfig(host_name="pac.example", vendor="Test", max_violations=3)


def accepted() -> ConnectionMachine:
    machine = ConnectionMachine(Role.PAC, CONFIG)
    machine.accepted(0.0)
    return machine


def opened() -> ConnectionMachine:
    machine = ConnectionMachine(Role.PNS, CONFIG)
    machine.open(0.0)
    return machine


def established_pac() -> ConnectionMachine:
    return established(Role.PAC, CONFIG)


class TestStart:
    """[2.1, 2.2, 3.1.1, 3.1.2]"""

    def test_receiver(self) -> None:
        machine = accepted()
        hear(machine, start_request())
        (reply,) = said(machine)
        assert reply == StartControlConnectionReply(0x0100, 1, 0, 3, 3, 0, 1, "pac.example", "Test")
        assert told(machine, ControlEstablished) == [ControlEstablished("client", "Microsoft", 2600, 0x0100)]
        assert machine.peer == ControlEstablished("client", "Microsoft", 2600, 0x0100)
        assert machine.established

    def test_originator(self) -> None:
        machine = opened()
        (request,) = said(machine)
        assert isinstance(request, StartControlConnectionRequest)
        assert machine.state is ConnectionState.WAIT_CTL_REPLY
        hear(machine, start_reply())
        assert machine.established
        assert told(machine, ControlEstablished) == [ControlEstablished("server", "linux", 1, 0x0100)]

    @pytest.mark.parametrize("role", Role)
    def test_either_role_may_be_either_end(self, role: Role) -> None:
        receiver, originator = ConnectionMachine(role, CONFIG), ConnectionMachine(role.peer, CONFIG)
        originator.open(0.0)
        receiver.receive(b"".join(originator.outgoing()), 0.0)
        originator.receive(b"".join(receiver.outgoing()), 0.0)
        assert receiver.established
        assert originator.established

    def test_earlier_version_is_refused_with_result_5(self) -> None:
        machine = accepted()
        hear(machine, start_request(version=0x0001))
        (reply,) = said(machine)
        assert isinstance(reply, StartControlConnectionReply)
        assert (reply.result_code, reply.protocol_version) == (5, 0x0100)
        reason, detail = end_of(machine)
        assert reason is DisconnectReason.NEGOTIATION_FAILED
        assert "0x0001" in detail

    def test_later_version_gets_ours(self) -> None:
        machine = accepted()
        hear(machine, start_request(version=0x0200))
        (reply,) = said(machine)
        assert isinstance(reply, StartControlConnectionReply)
        assert (reply.result_code, reply.protocol_version) == (1, 0x0100)
        assert machine.established

    def test_reply_with_an_earlier_version_is_stopped(self) -> None:
        machine = opened()
        drain(machine)
        hear(machine, start_reply(version=0x0001))
        assert said(machine) == [StopControlConnectionRequest(2)]
        assert machine.state is ConnectionState.WAIT_STOP_REPLY
        hear(machine, StopControlConnectionReply(1, 0))
        assert end_of(machine)[0] is DisconnectReason.NEGOTIATION_FAILED

    @pytest.mark.parametrize(
        ("result", "words"), [(2, "General Error"), (3, "exists"), (4, "not authorized"), (9, "9")]
    )
    def test_refused(self, result: int, words: str) -> None:
        machine = opened()
        drain(machine)
        hear(machine, start_reply(result=result))
        reason, detail = end_of(machine)
        assert reason is DisconnectReason.NEGOTIATION_FAILED
        assert words in detail
        assert said(machine) == []

    def test_second_request_is_answered_with_result_3(self) -> None:
        machine = established(Role.PAC)
        before = machine.peer
        hear(machine, start_request())
        (reply,) = said(machine)
        assert isinstance(reply, StartControlConnectionReply)
        assert reply.result_code == 3
        assert machine.peer is before
        assert len(told(machine, ControlViolation)) == 1
        assert machine.established

    def test_requests_that_cross_on_one_connection(self) -> None:
        one, other = opened(), ConnectionMachine(Role.PAC, CONFIG)
        other.open(0.0)
        from_one, from_other = b"".join(one.outgoing()), b"".join(other.outgoing())
        one.receive(from_other, 0.0)
        other.receive(from_one, 0.0)
        from_one, from_other = b"".join(one.outgoing()), b"".join(other.outgoing())
        one.receive(from_other, 0.0)
        other.receive(from_one, 0.0)
        for machine in (one, other):
            assert machine.established
            events = machine.events()
            assert [event for event in events if isinstance(event, ControlViolation)] == []
            assert len([event for event in events if isinstance(event, ControlEstablished)]) == 1

    def test_reply_that_nobody_asked_for(self) -> None:
        for machine in (accepted(), established(Role.PAC)):
            hear(machine, start_reply(result=4))
            assert len(told(machine, ControlViolation)) == 1
            assert not machine.closed

    def test_open_twice_sends_once(self) -> None:
        machine = opened()
        machine.open(1.0)
        assert len(said(machine)) == 1


class TestSetupTimeout:
    """[3.1.4] 1, with our shorter default."""

    @pytest.mark.parametrize("make", [accepted, opened])
    def test_silence(self, make: Callable[[], ConnectionMachine]) -> None:
        machine = make()
        assert machine.deadline == 10.0
        machine.handle_timer(9.9)
        assert not machine.closed
        machine.handle_timer(10.0)
        reason, detail = end_of(machine)
        assert reason is DisconnectReason.NEGOTIATION_FAILED
        assert "10 s" in detail

    def test_one_octet_at_a_time_gains_no_time(self) -> None:
        machine = accepted()
        for second, octet in enumerate(start_request().encode()[:9]):
            machine.receive(bytes([octet]), float(second))
        assert machine.deadline == 10.0

    def test_octets_before_we_were_told_of_the_connection(self) -> None:
        machine = ConnectionMachine(Role.PAC, CONFIG)
        machine.receive(b"\0", 5.0)
        assert machine.deadline == 15.0

    def test_no_such_wait_once_established(self) -> None:
        machine = established(Role.PAC)
        assert machine.deadline == CONFIG.echo_interval
        machine.handle_timer(10.0)
        assert machine.established


class TestStop:
    """[2.3, 2.4, 3.1.1, 3.1.2]"""

    @pytest.mark.parametrize("make", [accepted, opened, established_pac])
    def test_the_peer_stops(self, make: Callable[[], ConnectionMachine]) -> None:
        machine = make()
        drain(machine)
        hear(machine, StopControlConnectionRequest(1))
        assert said(machine) == [StopControlConnectionReply(1, 0)]
        assert "Stop-Control-Connection-Request" in end_of(machine)[1]

    def test_a_stop_of_the_peer_clears_its_calls(self) -> None:
        """[2.3]"""
        machine = established_pac()
        hear(machine, outgoing_call(7))
        machine.accept_call(7, 1000, 1.0)
        hear(machine, StopControlConnectionRequest(1))
        (cleared,) = told(machine, CallCleared)
        assert (cleared.local_call_id, cleared.by_peer) == (1000, True)

    def test_stops_that_cross(self) -> None:
        machine = established(Role.PAC)
        machine.close(DisconnectReason.ADMIN, 1.0)
        drain(machine)
        hear(machine, StopControlConnectionRequest(1))
        assert said(machine) == [StopControlConnectionReply(1, 0)]
        assert end_of(machine)[0] is DisconnectReason.ADMIN

    @pytest.mark.parametrize(("reason", "code"), [(DisconnectReason.GATEWAY_SHUTDOWN, 3), (DisconnectReason.ADMIN, 1)])
    def test_we_stop(self, reason: DisconnectReason, code: int) -> None:
        machine = established(Role.PAC)
        machine.close(reason, 1.0, "maintenance")
        assert said(machine) == [StopControlConnectionRequest(code)]
        assert machine.commands() == []
        hear(machine, StopControlConnectionReply(1, 0))
        assert end_of(machine) == (reason, "maintenance")

    def test_no_reply(self) -> None:
        machine = established(Role.PAC)
        machine.close(DisconnectReason.ADMIN, 1.0)
        drain(machine)
        assert machine.deadline == 1.0 + CONFIG.stop_timeout
        machine.close(DisconnectReason.GATEWAY_SHUTDOWN, 2.0)
        assert machine.deadline == 1.0 + CONFIG.stop_timeout
        machine.handle_timer(4.0)
        assert end_of(machine)[0] is DisconnectReason.ADMIN

    @pytest.mark.parametrize("make", [accepted, opened])
    def test_before_anything_was_agreed_we_just_close(self, make: Callable[[], ConnectionMachine]) -> None:
        machine = make()
        drain(machine)
        machine.close(DisconnectReason.GATEWAY_SHUTDOWN, 1.0)
        assert said(machine) == []
        assert end_of(machine)[0] is DisconnectReason.GATEWAY_SHUTDOWN

    def test_what_still_arrives_while_we_stop(self) -> None:
        machine = established(Role.PAC)
        machine.close(DisconnectReason.ADMIN, 1.0)
        drain(machine)
        hear(machine, outgoing_call(), SetLinkInfo(1, 0, 0), EchoRequest(4), EchoReply(9, 1, 0), CallClearRequest(1))
        assert said(machine) == [EchoReply(4, 1, 0)]
        assert told(machine, ControlViolation) == []
        assert machine.state is ConnectionState.WAIT_STOP_REPLY

    def test_reply_that_nobody_asked_for(self) -> None:
        machine = established(Role.PAC)
        hear(machine, StopControlConnectionReply(1, 0))
        assert len(told(machine, ControlViolation)) == 1
        assert machine.established

    def test_nothing_is_heard_after_the_end(self) -> None:
        machine = established(Role.PAC)
        hear(machine, StopControlConnectionRequest(1), start_request(), EchoRequest(1))
        assert said(machine) == [StopControlConnectionReply(1, 0)]
        drain(machine)
        hear(machine, start_request())
        machine.open(2.0)
        machine.close(DisconnectReason.ADMIN, 2.0)
        machine.connection_lost(2.0)
        machine.handle_timer(1000.0)
        assert (machine.outgoing(), machine.commands(), machine.events()) == ([], [], [])


class TestConnectionLost:
    @pytest.mark.parametrize("make", [accepted, opened, established_pac])
    def test_the_transport_is_not_closed_again(self, make: Callable[[], ConnectionMachine]) -> None:
        machine = make()
        drain(machine)
        assert machine.end is ControlEnd.OPEN
        machine.connection_lost(5.0, "reset by peer", ControlEnd.RST)
        closed = ControlClosed(DisconnectReason.CONTROL_LOST, "reset by peer", ControlEnd.RST)
        assert told(machine, ControlClosed) == [closed]
        assert machine.end is ControlEnd.RST
        assert (machine.commands(), machine.outgoing()) == ([], [])
        assert machine.closed

    def test_while_we_stop_the_cause_stays(self) -> None:
        machine = established(Role.PAC)
        machine.close(DisconnectReason.ADMIN, 1.0)
        drain(machine)
        machine.connection_lost(2.0)
        assert [event.reason for event in told(machine, ControlClosed)] == [DisconnectReason.ADMIN]

    def test_calls_end_with_it(self) -> None:
        machine = established(Role.PAC)
        hear(machine, outgoing_call(7))
        machine.accept_call(7, 1000, 1.0)
        drain(machine)
        machine.connection_lost(2.0, "gone")
        assert told(machine, CallCleared) == [CallCleared(1000, False, 1, 0, "gone")]


class TestCollision:
    """[3.1.3]"""

    def test_the_loser_closes_without_a_word(self) -> None:
        machine = opened()
        drain(machine)
        machine.lose_collision(1.0)
        assert said(machine) == []
        assert end_of(machine)[0] is DisconnectReason.REPLACED

    def test_the_winner_says_nothing_on_the_loser_s_connection(self) -> None:
        machine = accepted()
        machine.win_collision(1.0)
        hear(machine, start_request(), EchoRequest(1))
        assert said(machine) == []
        machine.connection_lost(2.0)
        assert machine.closed

    def test_the_winner_does_not_wait_for_ever(self) -> None:
        machine = accepted()
        machine.win_collision(1.0)
        machine.handle_timer(11.0)
        assert machine.closed


def test_every_message_is_told_both_ways() -> None:
    machine = accepted()
    hear(machine, start_request())
    seen = [(event.direction, event.message) for event in told(machine, ControlMessageSeen)]
    assert seen == [
        (Direction.RECEIVED, "Start-Control-Connection-Request"),
        (Direction.SENT, "Start-Control-Connection-Reply"),
    ]


class TestSnapshot:
    def test_only_of_what_is_drained(self) -> None:
        machine = opened()
        with pytest.raises(RuntimeError, match="drain"):
            machine.snapshot()

    def test_stop_and_continue(self) -> None:
        machine = established(Role.PAC)
        hear(machine, SetLinkInfo(9, 0, 0))
        machine.receive(EchoRequest(5).encode()[:7], 2.0)
        machine.handle_timer(61.0)
        drain(machine)
        again = ConnectionMachine.restore(CONFIG, machine.snapshot())
        assert again.snapshot() == machine.snapshot()
        assert (again.deadline, again.state, again.peer, again.role) == (121.0, machine.state, machine.peer, Role.PAC)
        again.receive(EchoRequest(5).encode()[7:], 62.0)
        assert said(again) == [EchoReply(5, 1, 0)]

    def test_while_stopping(self) -> None:
        machine = established(Role.PAC)
        machine.close(DisconnectReason.ADMIN, 1.0, "why")
        drain(machine)
        again = ConnectionMachine.restore(CONFIG, machine.snapshot())
        again.handle_timer(10.0)
        assert end_of(again) == (DisconnectReason.ADMIN, "why")

    def test_plain_data(self) -> None:
        machine = established(Role.PAC)
        hear(machine, outgoing_call())
        drain(machine)
        assert_plain(machine.snapshot())


def assert_plain(data: object) -> None:
    if isinstance(data, dict):
        assert all(type(key) is str for key in data)
        for value in data.values():
            assert_plain(value)
    elif isinstance(data, list):
        for value in data:
            assert_plain(value)
    else:
        assert type(data) in (str, int, float, bool, bytes, type(None))
