"""A PAC and a PNS talk to each other in virtual time: cut anywhere, restarted anywhere, deaf, leaving, crossing."""

from collections.abc import Callable

import pytest

from holdfast.control.commands import AnswerCall
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.connection_table import ConnectionState
from holdfast.control.messages import StopControlConnectionRequest
from holdfast.errors import DisconnectReason
from holdfast.events import (
    CallCleared,
    CallEstablished,
    CallRefused,
    ControlClosed,
    ControlEstablished,
    ControlViolation,
    Event,
)
from support.control_pair import Pair, ponder

LIFE = [
    "Start-Control-Connection-Request",
    "Outgoing-Call-Request",
    "Set-Link-Info",
    "Echo-Reply",
    "Call-Clear-Request",
    "Stop-Control-Connection-Request",
]


def whole_life(pair: Pair) -> Pair:
    """A short but complete life: up, one call, an echo, down, from the client's side."""
    pair.start().call(local_call_id=0, serial_number=7)
    pair.pns.machine.set_link_info(0, 0, 0xFFFFFFFF)
    pair.settle().pass_time(60.5)
    pair.pns.machine.clear_call(0, pair.now)
    pair.settle()
    pair.pns.machine.close(DisconnectReason.USER_REQUEST, pair.now)
    return pair.settle()


def assert_whole_life(pair: Pair) -> None:
    assert [name for name in pair.pns.names() if name != "Echo-Request"] == LIFE
    for end in (pair.pac, pair.pns):
        assert end.machine.closed
        assert not end.transport_open
        for kind in (ControlEstablished, CallEstablished, CallCleared, ControlClosed):
            assert len(end.told(kind)) == 1, kind
        assert end.told(ControlViolation) == []


def test_a_whole_life() -> None:
    pair = whole_life(Pair())
    assert_whole_life(pair)
    assert pair.pac.told(CallEstablished) == [CallEstablished(1000, 0, 7, 100_000_000, 64)]
    assert pair.pns.told(CallEstablished) == [CallEstablished(0, 1000, 7, 100_000_000, 64)]
    assert pair.pac.told(ControlClosed)[0].reason is DisconnectReason.USER_REQUEST


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 11, 12, 13, 155, 156, 157])
@pytest.mark.parametrize("restart", [False, True])
def test_cut_into_pieces_and_restarted_between_them(piece: int, restart: bool) -> None:
    pair = Pair()
    pair.piece, pair.restart = piece, restart
    assert_whole_life(whole_life(pair))


def test_all_of_a_client_s_messages_in_one_read() -> None:
    pair = whole_life(Pair())
    octets = b"".join(message.encode() for message in pair.pns.sent if message.name != "Echo-Reply")
    for cut in range(len(octets)):
        machine = ConnectionMachine(Role.PAC, ControlConfig())
        machine.receive(octets[:cut], 0.0)
        answered = answer_all(machine)
        machine.receive(octets[cut:], 0.0)
        answered += answer_all(machine)
        kinds = [type(event) for event in machine.events()]
        assert machine.closed
        assert kinds.count(ControlClosed) == 1
        assert kinds.count(CallEstablished) == kinds.count(CallCleared) == answered
        assert kinds.count(CallEstablished) + kinds.count(CallRefused) <= 1


def answer_all(machine: ConnectionMachine) -> int:
    requests = [command for command in machine.commands() if isinstance(command, AnswerCall)]
    return sum(machine.accept_call(request.peer_call_id, 1000, 0.0) for request in requests)


def test_three_calls_on_one_connection() -> None:
    """pptp-linux shares one call manager between calls to a server."""
    pair = Pair().start().call(0, 1).call(1, 2).call(2, 3)
    pair.pns.machine.clear_call(1, pair.now)
    pair.settle()
    pair.pac.machine.clear_call(1002, pair.now)
    pair.settle()
    assert [event.local_call_id for event in pair.pns.told(CallCleared)] == [1, 2]
    assert [event.local_call_id for event in pair.pac.told(CallCleared)] == [1001, 1002]
    assert pair.pac.machine.call_count == pair.pns.machine.call_count == 1
    pair.pac.machine.close(DisconnectReason.GATEWAY_SHUTDOWN, pair.now)
    pair.settle()
    assert len(pair.pns.told(CallCleared)) == len(pair.pac.told(CallCleared)) == 3
    assert pair.pac.names()[-2:] == ["Call-Disconnect-Notify", "Stop-Control-Connection-Request"]
    assert pair.pns.told(ControlClosed)[0].reason is DisconnectReason.GATEWAY_SHUTDOWN


def test_an_incoming_call() -> None:
    pair = Pair(pns=ControlConfig(accept_incoming_calls=True)).start()
    assert pair.pac.machine.announce_call(5, 6, pair.now, connect_speed=64000)
    pair.settle()
    assert pair.pac.told(CallEstablished) == [CallEstablished(5, 1000, 6, 64000, 64)]
    assert pair.pns.told(CallEstablished) == [CallEstablished(1000, 5, 6, 64000, 64)]
    pair.pns.machine.clear_call(1000, pair.now)
    pair.settle()
    assert [event.by_peer for event in pair.pac.told(CallCleared)] == [True]
    assert [event.by_peer for event in pair.pns.told(CallCleared)] == [False]


def test_an_idle_connection_lives_on_echoes() -> None:
    pair = Pair().start().call().pass_time(24 * 3600)
    assert pair.pac.machine.established
    assert pair.pns.machine.established
    echoes = [name for name in pair.pac.names() + pair.pns.names() if name == "Echo-Request"]
    assert len(echoes) <= 2 * 24 * 60


@pytest.mark.parametrize("role", Role)
def test_a_peer_that_is_gone(role: Role) -> None:
    pair = Pair().start().call()
    pair.deaf = {role}
    pair.pass_time(130)
    left = pair.pac if role is Role.PNS else pair.pns
    assert left.told(ControlClosed)[0].reason is DisconnectReason.ECHO_TIMEOUT
    assert len(left.told(CallCleared)) == 1


def idle(_pair: Pair) -> None: ...


def opened(pair: Pair) -> None:
    pair.pns.machine.open(0.0)
    pair.pns.drive(0.0)
    pair.pns.take()


def started(pair: Pair) -> None:
    pair.start()


def asked(pair: Pair) -> None:
    pair.pac.answer = ponder
    pair.start().call()


def called(pair: Pair) -> None:
    pair.start().call()


def clearing(pair: Pair) -> None:
    pair.start().call()
    pair.deaf = {Role.PAC}
    pair.pns.machine.clear_call(0, pair.now)
    pair.settle()
    pair.deaf = set()


def stopping(pair: Pair) -> None:
    pair.start().call()
    pair.deaf = {Role.PAC}
    pair.pns.machine.close(DisconnectReason.USER_REQUEST, pair.now)
    pair.settle()
    pair.deaf = set()


PHASES = [idle, opened, started, asked, called, clearing, stopping]


@pytest.mark.parametrize("phase", PHASES)
def test_a_stop_in_every_phase(phase: Callable[[Pair], None]) -> None:
    """The reply is sent, the transport closed, and whoever was told of a call is told of its end."""
    pair = Pair()
    phase(pair)
    for end in (pair.pac, pair.pns):
        if not end.machine.closed:
            end.machine.receive(StopControlConnectionRequest(1).encode(), pair.now)
            end.drive(pair.now)
        assert end.machine.closed
        assert not end.transport_open
        assert end.names()[-1] == "Stop-Control-Connection-Reply"
        assert_balanced(end.events)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("role", Role)
def test_the_owner_leaves_in_every_phase(phase: Callable[[Pair], None], role: Role) -> None:
    pair = Pair()
    phase(pair)
    leaver = pair.pac if role is Role.PAC else pair.pns
    leaver.machine.close(DisconnectReason.GATEWAY_SHUTDOWN, pair.now)
    pair.settle().pass_time(5)
    assert leaver.machine.closed
    assert not leaver.transport_open
    assert_balanced(leaver.events)


@pytest.mark.parametrize("phase", PHASES)
def test_the_transport_is_lost_in_every_phase(phase: Callable[[Pair], None]) -> None:
    pair = Pair()
    phase(pair)
    for end in (pair.pac, pair.pns):
        end.machine.connection_lost(pair.now)
        end.drive(pair.now)
        assert end.machine.deadline is None
        assert_balanced(end.events)


@pytest.mark.parametrize("phase", PHASES)
def test_no_phase_lasts_for_ever(phase: Callable[[Pair], None]) -> None:
    """With a peer that never says anything again, every phase but a living one ends within two minutes."""
    pair = Pair()
    pair.pac.machine.accepted(0.0)
    phase(pair)
    pair.deaf = {Role.PAC, Role.PNS}
    pair.pass_time(130)
    for end in (pair.pac, pair.pns):
        assert end.machine.closed or end.machine.state is ConnectionState.IDLE
        assert_balanced(end.events)


def assert_balanced(events: list[Event]) -> None:
    """Every established call was cleared exactly once, and the end was told at most once."""
    up = [event.local_call_id for event in events if isinstance(event, CallEstablished)]
    down = [event.local_call_id for event in events if isinstance(event, CallCleared)]
    assert set(up) <= set(down)
    assert len(down) == len(set(down))
    assert len([event for event in events if isinstance(event, ControlClosed)]) <= 1


def test_both_leave_at_once() -> None:
    pair = Pair().start().call()
    for end in (pair.pac, pair.pns):
        end.machine.close(DisconnectReason.ADMIN, pair.now)
    pair.settle()
    for end in (pair.pac, pair.pns):
        assert end.machine.closed
        assert end.told(ControlViolation) == []
        assert_balanced(end.events)


def test_both_clear_at_once() -> None:
    pair = Pair().start().call()
    pair.pns.machine.clear_call(0, pair.now)
    pair.pac.machine.clear_call(1000, pair.now)
    pair.settle()
    for end in (pair.pac, pair.pns):
        assert len(end.told(CallCleared)) == 1
        assert end.told(ControlViolation) == []
        assert end.machine.established


@pytest.mark.parametrize("drop", range(8))
def test_a_message_that_never_arrives(drop: int) -> None:
    """Whichever message of a life is lost, both ends end, and neither is stuck."""
    pair = Pair()
    deliver = pair._deliver
    count = iter(range(1000))
    pair._deliver = lambda octets, to: None if octets and next(count) == drop else deliver(octets, to)
    pair.start()
    if pair.pns.machine.place_call(0, 1, pair.now):
        pair.settle().pass_time(1)
        pair.pns.machine.clear_call(0, pair.now)
    pair.settle().pass_time(70)
    for end in (pair.pac, pair.pns):
        end.machine.close(DisconnectReason.ADMIN, pair.now)
    pair.settle().pass_time(130)
    for end in (pair.pac, pair.pns):
        assert end.machine.closed
        assert_balanced(end.events)
