"""A peer that is not wanted, and one that is asked whether it is there."""

from holdfast.control.codes import GeneralError, StartResult
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import EchoReply, EchoRequest, StartControlConnectionReply
from holdfast.errors import DisconnectReason
from support.control_peer import drain, end_of, established, hear, outgoing_call, said, start_request

CONFIG = ControlConfig(echo_interval=60.0, echo_timeout=60.0, setup_timeout=5.0)


def unwelcome() -> ConnectionMachine:
    machine = ConnectionMachine(Role.PAC, CONFIG)
    machine.refuse(StartResult.GENERAL_ERROR, GeneralError.NO_RESOURCE, "too many", 0.0)
    return machine


def test_the_introduction_is_answered_with_the_result_and_no_more() -> None:
    machine = unwelcome()
    hear(machine, start_request(), outgoing_call())
    (reply,) = said(machine)
    assert isinstance(reply, StartControlConnectionReply)
    assert (reply.result_code, reply.error_code) == (2, 4)
    assert machine.closed
    assert end_of(machine) == (DisconnectReason.LIMIT_REACHED, "too many")


def test_one_that_says_nothing_is_closed_in_time() -> None:
    machine = unwelcome()
    assert machine.deadline == 5.0
    machine.handle_timer(5.0)
    assert machine.closed
    assert said(machine) == []


def test_the_refusal_survives_a_snapshot() -> None:
    machine = ConnectionMachine.restore(CONFIG, unwelcome().snapshot())
    hear(machine, start_request())
    (reply,) = said(machine)
    assert isinstance(reply, StartControlConnectionReply)
    assert reply.result_code == 2


def test_who_is_in_already_cannot_be_refused() -> None:
    machine = established(Role.PAC, CONFIG)
    machine.refuse(StartResult.NOT_AUTHORIZED, GeneralError.NONE, "late", 1.0)
    assert machine.established


def test_a_probe_asks_at_once_and_only_once() -> None:
    machine = established(Role.PAC, CONFIG)
    drain(machine)
    machine.probe(2.0, 60.0)
    machine.probe(2.1, 60.0)
    (asked,) = said(machine)
    assert isinstance(asked, EchoRequest)
    assert machine.deadline == 62.0
    hear(machine, EchoReply(asked.identifier, 1, 0), now=3.0)
    assert machine.deadline == 63.0


def test_before_the_start_there_is_nobody_to_probe() -> None:
    machine = unwelcome()
    machine.probe(1.0, 60.0)
    assert said(machine) == []
