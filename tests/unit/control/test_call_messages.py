"""What the peer's call messages do. Sections of RFC 2637 in brackets."""

import pytest

from holdfast.control.commands import AnswerCall, CloseTransport
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import (
    CallClearRequest,
    CallDisconnectNotify,
    ControlMessage,
    IncomingCallConnected,
    IncomingCallReply,
    IncomingCallRequest,
    OutgoingCallReply,
    OutgoingCallRequest,
    SetLinkInfo,
    StopControlConnectionRequest,
    WanErrorNotify,
)
from holdfast.events import (
    CallCleared,
    CallEstablished,
    CallRefused,
    ControlViolation,
    LinkErrorsReported,
    LinkInfoSet,
)
from support.control_peer import drain, established, hear, said, told

CONFIG = ControlConfig(max_calls=3, accept_incoming_calls=True)


def outgoing_call(call_id: int, serial: int = 5) -> OutgoingCallRequest:
    return OutgoingCallRequest(call_id, serial, 300, 100_000_000, 3, 2, 32, 1, 4, "5550", "sub")


def incoming_call(call_id: int) -> IncomingCallRequest:
    return IncomingCallRequest(call_id, 6, 2, 9, 4, 3, "5550", "123", "sub")


def notify(call_id: int, result: int = 4, error: int = 0, cause: int = 0) -> CallDisconnectNotify:
    return CallDisconnectNotify(call_id, result, error, cause, "")


def pac_in_call(peer_call_id: int = 7, local_call_id: int = 1000) -> ConnectionMachine:
    machine = established(Role.PAC, CONFIG)
    hear(machine, outgoing_call(peer_call_id))
    assert machine.accept_call(peer_call_id, local_call_id, 1.0)
    drain(machine)
    return machine


def pns_in_call(local_call_id: int = 0, peer_call_id: int = 11755) -> ConnectionMachine:
    machine = established(Role.PNS, CONFIG)
    machine.place_call(local_call_id, 1, 1.0)
    hear(machine, OutgoingCallReply(peer_call_id, local_call_id, 1, 0, 0, 64000, 16, 0, 0))
    drain(machine)
    return machine


def only(machine: ConnectionMachine, kind: type) -> object:
    (event,) = told(machine, kind)
    return event


class TestOutgoingCallRequest:
    """[2.7, 2.8, 3.2.4.1]"""

    def test_our_owner_is_asked(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, outgoing_call(0))
        asked = AnswerCall(0, 5, False, 3, 2, 300, 100_000_000, 32, 1, 0, "5550", "", "sub")
        assert machine.commands() == [asked]
        assert machine.unanswered() == [asked]
        assert machine.outgoing() == []

    def test_several_calls(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, outgoing_call(0), outgoing_call(1))
        assert [command.peer_call_id for command in machine.commands() if isinstance(command, AnswerCall)] == [0, 1]
        assert machine.call_count == 2

    def test_too_many(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, *[outgoing_call(number) for number in range(4)])
        assert said(machine) == [OutgoingCallReply(0, 3, 2, 4, 0, 0, 0, 0, 0)]
        events = machine.events()
        assert [event.peer_call_id for event in events if isinstance(event, CallRefused)] == [3]
        assert not [event for event in events if isinstance(event, ControlViolation)]

    def test_a_call_id_that_is_in_use(self) -> None:
        machine = pac_in_call(7)
        hear(machine, outgoing_call(7))
        assert said(machine) == [OutgoingCallReply(0, 7, 2, 5, 0, 0, 0, 0, 0)]
        assert only(machine, ControlViolation)
        assert machine.call_count == 1

    def test_to_a_pns(self) -> None:
        machine = established(Role.PNS, CONFIG)
        hear(machine, outgoing_call(7))
        assert said(machine) == [OutgoingCallReply(0, 7, 7, 0, 0, 0, 0, 0, 0)]
        assert only(machine, ControlViolation)
        assert machine.commands() == []

    def test_our_owner_does_not_answer(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, outgoing_call(7), now=0.0)
        drain(machine)
        machine.handle_timer(60.0)
        assert OutgoingCallReply(0, 7, 6, 4, 0, 0, 0, 0, 0) in said(machine)
        assert only(machine, CallRefused)
        assert not machine.accept_call(7, 1000, 61.0)
        assert machine.established


class TestOutgoingCallReply:
    """[2.8, 3.2.4.2]"""

    def test_connected(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(0, 9, 1.0)
        hear(machine, OutgoingCallReply(11755, 0, 1, 0, 0, 64000, 16, 0, 0))
        assert only(machine, CallEstablished) == CallEstablished(0, 11755, 9, 64000, 16)
        assert machine.deadline == 61.0

    def test_refused(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(0, 9, 1.0)
        hear(machine, OutgoingCallReply(0, 0, 2, 4, 34, 0, 0, 0, 0))
        refused = only(machine, CallRefused)
        assert isinstance(refused, CallRefused)
        assert (refused.local_call_id, refused.peer_call_id, refused.result_code, refused.error_code) == (0, -1, 2, 4)
        assert "No-Resource" in refused.detail
        assert "no circuit" in refused.detail
        assert machine.call_count == 0

    def test_a_second_time(self) -> None:
        machine = pns_in_call()
        hear(machine, OutgoingCallReply(11755, 0, 1, 0, 0, 64000, 16, 0, 0))
        assert only(machine, ControlViolation)
        assert machine.call_count == 1

    def test_for_no_call(self) -> None:
        machine = established(Role.PNS, CONFIG)
        hear(machine, OutgoingCallReply(1, 2, 1, 0, 0, 64000, 16, 0, 0))
        assert only(machine, ControlViolation)

    def test_one_call_id_for_two_calls(self) -> None:
        """[3.2.2]"""
        machine = pns_in_call(0, 5)
        machine.place_call(1, 2, 1.0)
        hear(machine, OutgoingCallReply(5, 1, 1, 0, 0, 64000, 16, 0, 0))
        assert only(machine, ControlViolation)

    def test_none_closes_the_connection(self) -> None:
        """[3, 3.2.1]"""
        machine = established(Role.PNS, ControlConfig(reply_timeout=20))
        machine.place_call(0, 9, 1.0)
        machine.handle_timer(21.0)
        assert machine.closed
        assert only(machine, CallCleared)


class TestIncomingCall:
    """[2.9, 2.10, 2.11, 3.2.3]"""

    def test_pns_accepts(self) -> None:
        machine = established(Role.PNS, CONFIG)
        hear(machine, incoming_call(7))
        assert machine.commands() == [AnswerCall(7, 6, True, 2, 0, 0, 0, 0, 0, 9, "5550", "123", "sub")]
        assert machine.accept_call(7, 3, 1.0, receive_window=8)
        assert said(machine) == [IncomingCallReply(3, 7, 1, 0, 8, 0)]
        assert told(machine, CallEstablished) == []
        hear(machine, IncomingCallConnected(3, 64000, 16, 0, 1))
        assert only(machine, CallEstablished) == CallEstablished(3, 7, 6, 64000, 16)

    def test_pns_refuses_by_configuration(self) -> None:
        machine = established(Role.PNS, ControlConfig())
        hear(machine, incoming_call(7))
        assert said(machine) == [IncomingCallReply(0, 7, 3, 0, 0, 0)]
        events = machine.events()
        assert [type(event) for event in events if isinstance(event, CallRefused | ControlViolation)] == [CallRefused]

    def test_to_a_pac(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, incoming_call(7))
        assert said(machine) == [IncomingCallReply(0, 7, 3, 0, 0, 0)]
        assert only(machine, ControlViolation)

    def test_the_caller_hangs_up_before_we_answer(self) -> None:
        machine = established(Role.PNS, CONFIG)
        hear(machine, incoming_call(7), notify(7, 1))
        assert only(machine, CallRefused)
        assert not machine.accept_call(7, 3, 1.0)

    def test_the_caller_cannot_be_connected(self) -> None:
        machine = established(Role.PNS, CONFIG)
        hear(machine, incoming_call(7))
        machine.accept_call(7, 3, 1.0)
        hear(machine, notify(7, 1))
        assert only(machine, CallRefused)

    def test_connected_without_a_call(self) -> None:
        machine = established(Role.PNS, CONFIG)
        hear(machine, IncomingCallConnected(3, 64000, 16, 0, 1))
        assert only(machine, ControlViolation)

    def test_connected_in_an_outgoing_call(self) -> None:
        machine = pns_in_call(3)
        before = machine.snapshot()["calls"]
        hear(machine, IncomingCallConnected(3, 1, 1, 0, 1))
        violation = only(machine, ControlViolation)
        assert isinstance(violation, ControlViolation)
        assert "established" in violation.detail
        assert machine.outgoing() == []
        assert machine.snapshot()["calls"] == before

    def test_pac_gets_a_yes(self) -> None:
        machine = established(Role.PAC, CONFIG)
        machine.announce_call(7, 6, 1.0, connect_speed=64000, dialed_number="5550")
        drain(machine)
        hear(machine, IncomingCallReply(3, 7, 1, 0, 16, 0))
        assert said(machine) == [IncomingCallConnected(3, 64000, 64, 0, 2)]
        assert only(machine, CallEstablished) == CallEstablished(7, 3, 6, 64000, 16)

    def test_pac_gets_a_no(self) -> None:
        machine = established(Role.PAC, CONFIG)
        machine.announce_call(7, 6, 1.0)
        hear(machine, IncomingCallReply(0, 7, 3, 0, 0, 0))
        assert only(machine, CallRefused)
        assert machine.call_count == 0


class TestCallClearRequest:
    """[2.12]"""

    @pytest.mark.parametrize("call_id", [7, 1000])
    def test_clears_by_either_id(self, call_id: int) -> None:
        machine = pac_in_call(7, 1000)
        hear(machine, CallClearRequest(call_id))
        assert said(machine) == [notify(1000)]
        cleared = only(machine, CallCleared)
        assert cleared == CallCleared(1000, True, 4, 0, "the peer sent Call-Clear-Request")

    def test_while_our_owner_still_thinks(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, outgoing_call(7), CallClearRequest(7))
        assert said(machine) == [notify(7)]
        assert only(machine, CallRefused)
        assert machine.commands() == []
        assert not machine.accept_call(7, 1000, 2.0)
        assert machine.unanswered() == []

    def test_again_is_answered_and_no_violation(self) -> None:
        machine = pac_in_call(7)
        hear(machine, CallClearRequest(7), CallClearRequest(7))
        assert said(machine) == [notify(1000), notify(7, 2, 5)]
        assert told(machine, ControlViolation) == []

    def test_for_a_call_that_never_was(self) -> None:
        machine = established(Role.PAC, CONFIG)
        hear(machine, CallClearRequest(7))
        assert said(machine) == [notify(7, 2, 5)]
        assert only(machine, ControlViolation)

    def test_a_server_that_clears_like_a_client(self) -> None:
        machine = pns_in_call(0, 11755)
        hear(machine, CallClearRequest(11755))
        assert said(machine) == [CallDisconnectNotify(0, 4, 0, 0, "")]
        events = machine.events()
        assert len([event for event in events if isinstance(event, CallCleared)]) == 1
        assert len([event for event in events if isinstance(event, ControlViolation)]) == 1


def test_a_stop_behind_a_request_leaves_no_question() -> None:
    machine = established(Role.PAC, CONFIG)
    hear(machine, outgoing_call(7), StopControlConnectionRequest(1))
    assert [type(command) for command in machine.commands()] == [CloseTransport]
    assert machine.unanswered() == []


class TestCallDisconnectNotify:
    """[2.13]"""

    @pytest.mark.parametrize("call_id", [11755, 0])
    def test_ends_by_either_id(self, call_id: int) -> None:
        machine = pns_in_call(0, 11755)
        hear(machine, notify(call_id, 3, 0, 16))
        cleared = only(machine, CallCleared)
        assert isinstance(cleared, CallCleared)
        assert (cleared.local_call_id, cleared.by_peer, cleared.result_code) == (0, True, 3)
        assert "Admin Shutdown" in cleared.detail
        assert "normal call clearing" in cleared.detail

    def test_result_0_after_our_clear(self) -> None:
        machine = pns_in_call(0, 11755)
        machine.clear_call(0, 2.0)
        assert said(machine) == [CallClearRequest(0)]
        hear(machine, notify(0, 0))
        cleared = only(machine, CallCleared)
        assert isinstance(cleared, CallCleared)
        assert (cleared.by_peer, cleared.result_code) == (False, 0)
        assert "0 (normal)" in cleared.detail
        assert told(machine, ControlViolation) == []

    def test_never_comes(self) -> None:
        machine = pns_in_call(0, 11755)
        machine.clear_call(0, 2.0)
        machine.handle_timer(7.0)
        assert only(machine, CallCleared)
        assert machine.established

    def test_late_is_no_violation(self) -> None:
        machine = pns_in_call(0, 11755)
        machine.clear_call(0, 2.0)
        machine.handle_timer(7.0)
        drain(machine)
        hear(machine, notify(11755))
        assert told(machine, ControlViolation) == []

    def test_instead_of_a_reply(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(0, 1, 1.0)
        hear(machine, notify(55, 2, 4))
        assert only(machine, CallRefused)

    def test_reply_that_crosses_our_clear(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(0, 1, 1.0)
        machine.clear_call(0, 1.5)
        drain(machine)
        hear(machine, OutgoingCallReply(11755, 0, 1, 0, 0, 64000, 16, 0, 0), notify(11755))
        events = machine.events()
        assert not [event for event in events if isinstance(event, CallEstablished | ControlViolation)]
        assert len([event for event in events if isinstance(event, CallCleared)]) == 1

    def test_a_client_that_notifies_like_a_server(self) -> None:
        machine = pac_in_call(7, 1000)
        hear(machine, notify(7))
        events = machine.events()
        assert len([event for event in events if isinstance(event, CallCleared)]) == 1
        assert len([event for event in events if isinstance(event, ControlViolation)]) == 1
        assert said(machine) == []

    def test_for_a_call_that_never_was(self) -> None:
        machine = established(Role.PNS, CONFIG)
        hear(machine, notify(5))
        assert only(machine, ControlViolation)


class TestDuringACall:
    """[2.14, 2.15]"""

    def test_set_link_info(self) -> None:
        machine = pac_in_call(7, 1000)
        hear(machine, SetLinkInfo(1000, 0, 0xFFFFFFFF))
        assert only(machine, LinkInfoSet) == LinkInfoSet(1000, 0, 0xFFFFFFFF)

    def test_set_link_info_of_a_windows_server(self) -> None:
        machine = pns_in_call(0, 11755)
        hear(machine, SetLinkInfo(0, 0xFFFFFFFF, 0xFFFFFFFF))
        assert only(machine, LinkInfoSet) == LinkInfoSet(0, 0xFFFFFFFF, 0xFFFFFFFF)

    def test_wan_error_notify(self) -> None:
        machine = pns_in_call(0, 11755)
        hear(machine, WanErrorNotify(0, 1, 2, 3, 4, 5, 6))
        assert only(machine, LinkErrorsReported) == LinkErrorsReported(0, 1, 2, 3, 4, 5, 6)

    @pytest.mark.parametrize("message", [SetLinkInfo(9, 0, 0), WanErrorNotify(9, 1, 2, 3, 4, 5, 6)])
    def test_for_no_call(self, message: ControlMessage) -> None:
        machine = pns_in_call(0, 11755)
        hear(machine, message)
        assert only(machine, ControlViolation)

    @pytest.mark.parametrize("message", [SetLinkInfo(1000, 0, 0), WanErrorNotify(1000, 1, 2, 3, 4, 5, 6)])
    def test_just_after_its_end(self, message: ControlMessage) -> None:
        machine = pac_in_call(7, 1000)
        machine.clear_call(1000, 2.0)
        hear(machine, message)
        assert told(machine, ControlViolation) == []
