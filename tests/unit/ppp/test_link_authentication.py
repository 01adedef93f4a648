"""Two directions of authentication over one link, drained into one outbox."""

from dataclasses import replace
from random import Random

import pytest

from holdfast.events import AuthenticationSucceeded, PppPacketSeen
from holdfast.ppp.authentication import Method, VerifyCredentials
from holdfast.ppp.config import LinkConfig
from holdfast.ppp.control_protocol_types import Outbox
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.framing import split
from holdfast.ppp.link_authentication import LinkAuthentication
from holdfast.secret import Secret
from support.ppp import DIALER, GATEWAY, PASSWORD, USER

BOTH = replace(GATEWAY, credentials=DIALER.credentials, accept=(Method.MS_CHAP_V2,))
STORED = StoredSecret.from_password(Secret(PASSWORD))
METHODS = [Method.PAP, Method.CHAP_MD5, Method.MS_CHAP, Method.MS_CHAP_V2]


class Side:
    def __init__(self, config: LinkConfig, seed: int, *, trace: bool = False) -> None:
        self.outbox = Outbox(trace)
        self.config, self.entropy = config, Random(seed).randbytes
        self.machines = LinkAuthentication(config, self.entropy, self.outbox)

    def drain(self) -> list[bytes]:
        for question in self.machines.drain():
            assert isinstance(question, VerifyCredentials)
            self.machines.credentials_verified(verify(question.exchange, STORED), 0.0)
        self.machines.drain()
        frames, self.outbox.frames = self.outbox.frames, []
        return frames


def converse(left: Side, right: Side) -> None:
    for _ in range(10):
        for one, other in ((left, right), (right, left)):
            for frame in one.drain():
                parts = split(frame)
                assert parts is not None
                assert other.machines.receive(parts.protocol, parts.information, 0.0)


@pytest.mark.parametrize("ours", METHODS)
@pytest.mark.parametrize("theirs", METHODS)
def test_every_pair_of_methods_at_once(ours: Method, theirs: Method) -> None:
    """Also two CHAP methods, which share a protocol number."""
    left, right = Side(BOTH, 1), Side(BOTH, 2)
    left.machines.start(ours, theirs, 1400, 0.0)
    right.machines.start(theirs, ours, 1400, 0.0)
    converse(left, right)
    for side in (left, right):
        assert side.machines.complete
        assert side.machines.failure is None
        told = [event for event in side.outbox.events if isinstance(event, AuthenticationSucceeded)]
        assert {(event.by_peer, event.user) for event in told} == {(True, USER), (False, USER)}


def test_without_any_direction_it_is_complete() -> None:
    side = Side(GATEWAY, 1)
    side.machines.start(None, None, 1400, 0.0)
    assert side.machines.complete
    assert side.machines.keys is None
    assert side.machines.outcome is None
    assert side.machines.deadline is None
    assert not side.machines.receive(0xC223, b"\1\1\0\4", 0.0)


def test_keys_of_both_sides_fit() -> None:
    left, right = Side(GATEWAY, 1), Side(DIALER, 2)
    left.machines.start(Method.MS_CHAP_V2, None, 1400, 0.0)
    right.machines.start(None, Method.MS_CHAP_V2, 1400, 0.0)
    converse(left, right)
    assert left.machines.keys is not None
    assert left.machines.keys == right.machines.keys.other_side()


def test_a_failure_names_the_side() -> None:
    left, right = Side(GATEWAY, 1), Side(replace(DIALER, credentials=replace(DIALER.credentials, user="")), 2)
    left.machines.start(Method.MS_CHAP_V2, None, 1400, 0.0)
    right.machines.start(None, Method.MS_CHAP_V2, 1400, 0.0)
    right.machines.handle_timer(1e6)
    assert right.machines.failure is not None
    assert right.machines.we_failed
    assert not left.machines.we_failed


@pytest.mark.parametrize("information", [b"", b"\1", b"\1\1\0\0", b"\2\1\xff\xff", bytes(100)])
def test_garbage_is_taken(information: bytes) -> None:
    side = Side(BOTH, 1, trace=True)
    side.machines.start(Method.MS_CHAP_V2, Method.CHAP_MD5, 1400, 0.0)
    assert side.machines.receive(0xC223, information, 0.0)
    side.drain()


def test_the_trace_holds_no_response() -> None:
    left, right = Side(GATEWAY, 1, trace=True), Side(DIALER, 2, trace=True)
    left.machines.start(Method.PAP, None, 1400, 0.0)
    right.machines.start(None, Method.PAP, 1400, 0.0)
    converse(left, right)
    seen = [event for event in left.outbox.events if isinstance(event, PppPacketSeen)]
    assert [event.code for event in seen] == ["Authenticate-Request", "Authenticate-Ack"]
    assert PASSWORD.decode() not in repr(left.outbox.events + right.outbox.events)


def test_snapshot_in_the_middle() -> None:
    left, right = Side(GATEWAY, 1), Side(DIALER, 2)
    left.machines.start(Method.MS_CHAP_V2, None, 1400, 0.0)
    right.machines.start(None, Method.MS_CHAP_V2, 1400, 0.0)
    for frame in left.drain():
        right.machines.receive(0xC223, frame[2:], 0.0)
    response = right.drain()
    for side in (left, right):
        state, side.machines = side.machines.snapshot(), LinkAuthentication(side.config, side.entropy, side.outbox)
        side.machines.restore(state)
    for frame in response:
        left.machines.receive(0xC223, frame[2:], 0.0)
    converse(left, right)
    assert left.machines.complete
    assert right.machines.complete
