"""What all authentication machines share: drains, timers, the limit on violations, pending questions."""

import pytest

from holdfast.events import PppViolation
from holdfast.ppp.authentication import AuthenticatorConfig, AuthTiming, Method, Verdict
from holdfast.ppp.authentication_machine import VIOLATIONS_TOLD
from support.authentication import METHODS, Pair, judge


def asked(method: Method) -> Pair:
    """Return a pair whose authenticator waits for a verdict."""
    pair = Pair(method, config=AuthenticatorConfig(timing=AuthTiming(verification_timeout=20)))
    pair.authenticator.start(0.0)
    pair.peer.start(0.0)
    for packet in pair.authenticator.outgoing():
        pair.peer.receive(packet, 0.0)
    for packet in pair.peer.outgoing():
        pair.authenticator.receive(packet, 1.0)
    return pair


@pytest.mark.parametrize("method", METHODS)
def test_drains_empty(method: Method) -> None:
    pair = asked(method)
    assert len(pair.authenticator.commands()) == 1
    assert pair.authenticator.commands() == []
    pair.authenticator.credentials_verified(Verdict.reject(), 1.0)
    assert len(pair.authenticator.outgoing()) == 1
    assert pair.authenticator.outgoing() == []
    assert len(pair.authenticator.events()) == 1
    assert pair.authenticator.events() == []


@pytest.mark.parametrize("method", METHODS)
def test_only_one_timer_runs_while_a_verdict_is_due(method: Method) -> None:
    """A peer that waits for RADIUS must be left alone."""
    pair = asked(method)
    assert pair.authenticator.deadline == 21.0
    pair.authenticator.handle_timer(20.9)
    assert pair.authenticator.outgoing() == []


@pytest.mark.parametrize("method", METHODS)
def test_a_verdict_that_comes_too_late_changes_nothing(method: Method) -> None:
    pair = asked(method)
    (question,) = pair.authenticator.commands()
    pair.authenticator.handle_timer(21.0)
    outcome = pair.authenticator.outcome
    pair.authenticator.outgoing()
    pair.authenticator.credentials_verified(judge()(question.exchange), 22.0)
    assert pair.authenticator.outcome is outcome
    assert pair.authenticator.outgoing() == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "packet", [b"", b"\x01", b"\x01\x02\x00\x03", b"\x01\x02\x00\x05", b"\x01\x02\xff\xff" + bytes(99)]
)
def test_octets_that_are_no_packet(method: Method, packet: bytes) -> None:
    pair = Pair(method)
    for machine in (pair.authenticator, pair.peer):
        for _ in range(3 * VIOLATIONS_TOLD):
            machine.receive(packet, 0.0)
        assert [type(event) for event in machine.events()] == [PppViolation] * VIOLATIONS_TOLD
        assert machine.outgoing() == []
