"""The face of authentication: methods, options, and both sides of each method talking."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, AuthenticationSucceeded
from holdfast.ppp.authentication import (
    PROTOCOLS,
    AuthenticatorConfig,
    AuthTiming,
    Exchange,
    Method,
    PeerCredentials,
    Verdict,
    can_prove,
    for_authenticator,
    lcp_option_value,
    make_authenticator,
    make_peer,
    method_from_option,
    restore_authenticator,
    restore_peer,
)
from holdfast.secret import Secret
from support.authentication import CHAPS, METHODS, PASSWORD, Pair, judge

OPTIONS = {
    Method.PAP: "c023",
    Method.CHAP_MD5: "c22305",
    Method.MS_CHAP: "c22380",
    Method.MS_CHAP_V2: "c22381",
    Method.EAP: "c227",
}


@pytest.mark.parametrize(("method", "value"), OPTIONS.items())
def test_option_values(method: Method, value: str) -> None:
    assert lcp_option_value(method).hex() == value
    assert method_from_option(bytes.fromhex(value)) is method
    assert lcp_option_value(method)[:2] == PROTOCOLS[method].to_bytes(2, "big")


@pytest.mark.parametrize("value", ["", "c0", "c0230", "c223", "c22304", "c2230500", "c22705", "c025"])
def test_unknown_options(value: str) -> None:
    assert method_from_option(bytes.fromhex(value.ljust(len(value) + len(value) % 2, "0"))) is None


def test_a_peer_may_prove_itself_by_eap_and_we_never_do() -> None:
    assert make_authenticator(Method.EAP, AuthenticatorConfig(), bytes).method is Method.EAP
    assert [method for method in Method if can_prove(method)] == METHODS
    with pytest.raises(ValueError, match="eap"):
        make_peer(Method.EAP, PeerCredentials("u", Secret(b"p")), bytes)


@pytest.mark.parametrize("method", METHODS)
def test_the_right_password_is_let_in(method: Method) -> None:
    pair = Pair(method, user="BIGCO\\User").start()
    ours, theirs = pair.authenticator.outcome, pair.peer.outcome
    assert ours is not None
    assert theirs is not None
    assert ours.succeeded
    assert theirs.succeeded
    assert (ours.method, ours.user, ours.result_code) == (method, "User", 0)
    assert theirs.user == "BIGCO\\User"
    assert pair.events == [
        AuthenticationSucceeded(method, "User", by_peer=True),
        AuthenticationSucceeded(method, "BIGCO\\User", by_peer=False),
    ]
    assert pair.authenticator.deadline is None
    assert pair.peer.deadline is None


@pytest.mark.parametrize("method", METHODS)
def test_both_sides_have_the_same_keys_or_none(method: Method) -> None:
    pair = Pair(method).start()
    ours, theirs = pair.authenticator.outcome, pair.peer.outcome
    assert ours is not None
    assert theirs is not None
    if method in {Method.PAP, Method.CHAP_MD5}:
        assert ours.mppe is theirs.mppe is None
        return
    assert ours.mppe is not None
    assert theirs.mppe is not None
    assert ours.mppe == theirs.mppe.other_side()
    for bits in (40, 56, 128):
        our_keys, their_keys = ours.mppe.direction_keys(bits), theirs.mppe.direction_keys(bits)
        assert our_keys is not None
        assert their_keys is not None
        assert our_keys.send == their_keys.receive


@pytest.mark.parametrize("method", METHODS)
def test_the_wrong_password_is_kept_out(method: Method) -> None:
    pair = Pair(method, password=b"guess", config=AuthenticatorConfig(max_attempts=1)).start()
    code = 691 if method in {Method.MS_CHAP, Method.MS_CHAP_V2} else 0
    for outcome in (pair.authenticator.outcome, pair.peer.outcome):
        assert outcome is not None
        assert not outcome.succeeded
        assert outcome.mppe is None
        assert outcome.result_code == code
        assert outcome.reason is DisconnectReason.AUTH_FAILED
    assert pair.authenticator.last_rejection is not None
    assert [type(event) for event in pair.events] == [AuthenticationFailed, AuthenticationFailed]
    assert {event.by_peer for event in pair.events if isinstance(event, AuthenticationFailed)} == {True, False}


@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_by_policy_keeps_its_reason(method: Method) -> None:
    verdict = Verdict.reject(649, reason=DisconnectReason.LIMIT_REACHED, detail="one session too many")
    pair = Pair(method, judged_by=lambda _: verdict).start()
    outcome = pair.authenticator.outcome
    assert outcome is not None
    assert (outcome.reason, outcome.detail) == (DisconnectReason.LIMIT_REACHED, "one session too many")


@pytest.mark.parametrize("method", METHODS)
def test_the_verdict_may_name_the_user(method: Method) -> None:
    def named(exchange: Exchange) -> Verdict:
        honest = judge()(exchange)
        return Verdict.accept(honest.mppe, honest.authenticator_response, user="canonical")

    pair = Pair(method, judged_by=named).start()
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.user == "canonical"


@pytest.mark.parametrize("method", METHODS)
def test_a_verdict_that_nobody_asked_for_changes_nothing(method: Method) -> None:
    pair = Pair(method)
    pair.authenticator.credentials_verified(Verdict.accept(), 0.0)
    assert pair.authenticator.outcome is None
    pair.start()
    pair.authenticator.credentials_verified(Verdict.reject(), 1.0)
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.succeeded
    assert pair.authenticator.outgoing() == []


@pytest.mark.parametrize("method", METHODS)
def test_resent_requests_start_one_verification(method: Method) -> None:
    """RADIUS may take a minute, and peers are impatient."""
    pair = Pair(method)
    pair.authenticator.start(0.0)
    pair.peer.start(0.0)
    for packet in pair.authenticator.outgoing():
        pair.peer.receive(packet, 0.0)
    (request,) = pair.peer.outgoing()
    for now in range(60):
        pair.authenticator.receive(request, float(now))
        pair.authenticator.handle_timer(float(now))
    (question,) = pair.authenticator.commands()
    assert pair.authenticator.outgoing() == []
    pair.authenticator.credentials_verified(judge()(question.exchange), 60.0)
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.succeeded


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("password", [PASSWORD, b"guess"])
def test_a_repeated_request_gets_the_same_answer(method: Method, password: bytes) -> None:
    pair = Pair(method, password=password, config=AuthenticatorConfig(max_attempts=1)).start()
    request, answer = pair.answered[-1], pair.sent[-1]
    pair.authenticator.receive(request, 5.0)
    assert pair.authenticator.outgoing() == [answer]
    assert pair.authenticator.commands() == []
    assert pair.authenticator.events() == []


@pytest.mark.parametrize("method", METHODS)
def test_a_verdict_that_never_comes(method: Method) -> None:
    pair = Pair(method, config=AuthenticatorConfig(timing=AuthTiming(verification_timeout=20)))
    pair.authenticator.start(0.0)
    pair.peer.start(0.0)
    for packet in pair.authenticator.outgoing():
        pair.peer.receive(packet, 0.0)
    for packet in pair.peer.outgoing():
        pair.authenticator.receive(packet, 1.0)
    pair.authenticator.commands()
    assert pair.authenticator.deadline == 21.0
    pair.authenticator.handle_timer(21.0)
    pair.talk(21.0)
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.reason is DisconnectReason.AUTH_UNAVAILABLE
    assert pair.peer.outcome is None  # nobody told it that anything was wrong


@pytest.mark.parametrize("reason", [DisconnectReason.AUTH_UNAVAILABLE, DisconnectReason.INTERNAL_ERROR])
@pytest.mark.parametrize("method", METHODS)
def test_who_cannot_be_judged_is_not_told_that_anything_is_wrong(method: Method, reason: DisconnectReason) -> None:
    pair = Pair(method)
    pair.authenticator.start(0.0)
    pair.peer.start(0.0)
    for _ in range(2):
        for packet in pair.authenticator.outgoing():
            pair.peer.receive(packet, 0.0)
        for packet in pair.peer.outgoing():
            pair.authenticator.receive(packet, 0.0)
    assert pair.authenticator.judging
    pair.authenticator.credentials_verified(Verdict.reject(reason=reason, detail="nobody knows"), 1.0)
    assert not pair.authenticator.judging
    assert pair.authenticator.outgoing() == []
    assert not any(isinstance(event, AuthenticationFailed) for event in pair.authenticator.events())
    outcome = pair.authenticator.outcome
    assert (outcome.succeeded, outcome.reason, outcome.result_code) == (False, reason, 0)
    assert pair.authenticator.deadline is None


@pytest.mark.parametrize("method", METHODS)
def test_a_silent_other_side(method: Method) -> None:
    pair = Pair(method)
    for machine in (pair.authenticator, pair.peer):
        machine.start(0.0)
        packets = 0
        while machine.deadline is not None:
            packets += len(machine.outgoing())
            machine.handle_timer(machine.deadline)
        assert packets <= 10
        assert machine.outcome is not None
        assert not machine.outcome.succeeded
        assert machine.outcome.detail


def test_unanswered_challenges_and_requests_are_sent_ten_times_three_seconds_apart() -> None:
    for method in METHODS:
        pair = Pair(method)
        machine = pair.peer if method is Method.PAP else pair.authenticator
        machine.start(100.0)
        times = []
        while machine.deadline is not None:
            now = machine.deadline
            times.append((now, len(machine.outgoing())))
            machine.handle_timer(now)
        assert times == [(103.0 + 3 * count, 1) for count in range(10)]


@pytest.mark.parametrize("method", METHODS)
def test_stopping_and_going_on_at_every_point(method: Method) -> None:
    """After every step both sides are written down and read back; a pending question is asked again."""
    pair = Pair(method)
    entropy = bytes
    pair.authenticator.start(0.0)
    pair.peer.start(0.0)
    for _ in range(8):
        sent, answered = pair.authenticator.outgoing(), pair.peer.outgoing()
        pair.authenticator.commands()
        pair.authenticator = restore_authenticator(pair.authenticator.snapshot(), pair.config, entropy)
        pair.peer = restore_peer(pair.peer.snapshot(), pair.credentials, entropy)
        for question in pair.authenticator.commands():
            pair.authenticator.credentials_verified(judge()(question.exchange), 0.0)
        for packet in sent:
            pair.peer.receive(packet, 0.0)
        for packet in answered:
            pair.authenticator.receive(packet, 0.0)
    assert pair.authenticator.outcome is not None
    assert pair.authenticator.outcome.succeeded
    assert pair.peer.outcome is not None
    assert pair.peer.outcome.succeeded


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("password", [PASSWORD, b"guess"])
def test_a_snapshot_is_plain_data_and_loses_nothing(method: Method, password: bytes) -> None:
    pair = Pair(method, password=password).start()
    for machine, again in (
        (pair.authenticator, restore_authenticator(pair.authenticator.snapshot(), pair.config, bytes)),
        (pair.peer, restore_peer(pair.peer.snapshot(), pair.credentials, bytes)),
    ):
        _assert_plain(machine.snapshot())
        assert again.snapshot() == machine.snapshot()
        assert again.outcome == machine.outcome
        assert again.deadline == machine.deadline


def _assert_plain(value: object) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            assert type(key) is str
            _assert_plain(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _assert_plain(item)
    else:
        assert value is None or type(value) in {str, int, float, bool, bytes}


def test_every_slot_of_plain_state_is_saved() -> None:
    for method in METHODS:
        pair = Pair(method)
        for machine in (pair.authenticator, pair.peer):
            slots = {slot for kind in type(machine).__mro__ for slot in getattr(kind, "__slots__", ())}
            elsewhere = {"_commands", "_entropy", "_events", "_outgoing", "_pending", "_timers"}
            assert slots - elsewhere - {"config", "credentials", "last_rejection", "method", "outcome"} == set(
                machine.saved
            )


@pytest.mark.parametrize(
    ("method", "codes"), [(Method.PAP, {1}), (Method.CHAP_MD5, {2, 5, 6, 7}), (Method.MS_CHAP_V2, {2, 5, 6, 7})]
)
def test_whom_a_packet_is_for(method: Method, codes: set[int]) -> None:
    assert {code for code in range(1, 8) if for_authenticator(method, code)} == codes


@pytest.mark.parametrize("method", CHAPS)
def test_machines_are_small(method: Method) -> None:
    pair = Pair(method)
    for machine in (pair.authenticator, pair.peer):
        assert not hasattr(machine, "__dict__")
