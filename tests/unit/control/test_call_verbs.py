"""What our owner may ask of calls."""

import pytest

from holdfast.control.codes import GeneralError, OutgoingCallResult
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import (
    CallClearRequest,
    CallDisconnectNotify,
    IncomingCallRequest,
    OutgoingCallReply,
    OutgoingCallRequest,
    SetLinkInfo,
)
from holdfast.errors import DisconnectReason
from holdfast.events import CallCleared, CallEstablished, CallRefused
from support.control_peer import drain, established, said, told

CONFIG = ControlConfig(max_calls=2, receive_window=10, processing_delay=3)


def asked_pac(peer_call_id: int = 7) -> ConnectionMachine:
    machine = established(Role.PAC, CONFIG)
    request = OutgoingCallRequest(peer_call_id, 5, 300, 100_000_000, 3, 3, 64, 0, 0, "", "")
    machine.receive(request.encode(), 1.0)
    drain(machine)
    return machine


class TestPlaceCall:
    def test_what_is_sent(self) -> None:
        machine = established(Role.PNS, CONFIG)
        assert machine.place_call(1, 2, 1.0, minimum_bps=3, maximum_bps=4, phone_number="5550", subaddress="s")
        assert said(machine) == [OutgoingCallRequest(1, 2, 3, 4, 3, 3, 10, 3, 4, "5550", "s")]

    def test_not_before_the_connection_is_established(self) -> None:
        machine = ConnectionMachine(Role.PNS, CONFIG)
        machine.open(0.0)
        assert not machine.place_call(1, 2, 1.0)

    def test_not_as_pac(self) -> None:
        assert not established(Role.PAC, CONFIG).place_call(1, 2, 1.0)

    def test_not_too_many(self) -> None:
        machine = established(Role.PNS, CONFIG)
        assert [machine.place_call(number, 2, 1.0) for number in range(3)] == [True, True, False]

    def test_not_twice_with_one_call_id(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(1, 2, 1.0)
        with pytest.raises(ValueError, match="Call ID 1"):
            machine.place_call(1, 3, 1.0)


class TestAnnounceCall:
    def test_what_is_sent(self) -> None:
        machine = established(Role.PAC, CONFIG)
        assert machine.announce_call(1, 2, 1.0, physical_channel_id=3, dialed_number="55", dialing_number="123")
        assert said(machine) == [IncomingCallRequest(1, 2, 2, 3, 2, 3, "55", "123", "")]

    def test_not_as_pns(self) -> None:
        assert not established(Role.PNS, CONFIG).announce_call(1, 2, 1.0)


class TestAnswers:
    def test_accept(self) -> None:
        machine = asked_pac(7)
        assert machine.accept_call(7, 1000, 1.0, connect_speed=64000, physical_channel_id=4)
        assert said(machine) == [OutgoingCallReply(1000, 7, 1, 0, 0, 64000, 10, 3, 4)]
        assert told(machine, CallEstablished) == [CallEstablished(1000, 7, 5, 64000, 64)]
        assert machine.unanswered() == []

    def test_refuse(self) -> None:
        machine = asked_pac(7)
        assert machine.refuse_call(7, OutgoingCallResult.GENERAL_ERROR, GeneralError.NO_RESOURCE, 1.0, "pool empty")
        assert said(machine) == [OutgoingCallReply(0, 7, 2, 4, 0, 0, 0, 0, 0)]
        assert told(machine, CallRefused) == [CallRefused(-1, 7, 2, 4, "pool empty")]
        assert machine.call_count == 0

    def test_once_only(self) -> None:
        machine = asked_pac(7)
        assert machine.accept_call(7, 1000, 1.0)
        assert not machine.accept_call(7, 1001, 1.0)
        assert not machine.refuse_call(7, 2, 4, 1.0)

    def test_a_call_id_of_ours_that_is_in_use(self) -> None:
        machine = asked_pac(7)
        machine.accept_call(7, 1000, 1.0)
        machine.receive(OutgoingCallRequest(8, 5, 300, 100, 3, 3, 64, 0, 0, "", "").encode(), 1.0)
        with pytest.raises(ValueError, match="Call ID 1000"):
            machine.accept_call(8, 1000, 1.0)

    def test_questions_survive_a_restart(self) -> None:
        machine = asked_pac(7)
        again = ConnectionMachine.restore(CONFIG, machine.snapshot())
        assert again.unanswered() == machine.unanswered() != []
        assert again.accept_call(7, 1000, 2.0)


class TestClearCall:
    def test_pac_notifies_with_its_own_call_id(self) -> None:
        machine = asked_pac(7)
        machine.accept_call(7, 1000, 1.0)
        drain(machine)
        assert machine.clear_call(1000, 2.0, statistics="rx 1", detail="idle")
        assert said(machine) == [CallDisconnectNotify(1000, 3, 0, 0, "rx 1")]
        assert told(machine, CallCleared) == [CallCleared(1000, False, 3, 0, "idle")]

    def test_pns_asks_and_waits(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(1, 2, 1.0)
        drain(machine)
        assert machine.clear_call(1, 2.0)
        assert machine.clear_call(1, 2.0)
        assert said(machine) == [CallClearRequest(1)]
        assert told(machine, CallCleared) == []

    def test_no_such_call(self) -> None:
        assert not established(Role.PAC, CONFIG).clear_call(1, 2.0)


class TestSetLinkInfo:
    def test_carries_the_peer_s_call_id(self) -> None:
        machine = asked_pac(7)
        machine.accept_call(7, 1000, 1.0)
        drain(machine)
        assert machine.set_link_info(1000, 0, 0xFFFFFFFF)
        assert said(machine) == [SetLinkInfo(7, 0, 0xFFFFFFFF)]

    def test_only_for_an_established_call(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(1, 2, 1.0)
        assert not machine.set_link_info(1, 0, 0)
        assert not machine.set_link_info(9, 0, 0)

    def test_not_for_a_call_that_is_being_cleared(self) -> None:
        machine = established(Role.PNS, CONFIG)
        machine.place_call(1, 2, 1.0)
        machine.receive(OutgoingCallReply(7, 1, 1, 0, 0, 64000, 16, 0, 0).encode(), 1.0)
        machine.clear_call(1, 2.0)
        assert not machine.set_link_info(1, 0, 0)


def test_after_the_end_no_verb_does_anything() -> None:
    machine = asked_pac(7)
    machine.close(DisconnectReason.ADMIN, 2.0)
    machine.connection_lost(3.0)
    drain(machine)
    assert not machine.accept_call(7, 1000, 4.0)
    assert not machine.clear_call(1000, 4.0)
    assert not machine.announce_call(1, 1, 4.0)
    assert machine.outgoing() == []
