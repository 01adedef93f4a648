"""Nothing that a peer sends makes an authentication machine raise, let anybody in, or grow."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ppp.authentication import (
    AuthenticatorConfig,
    Method,
    PeerCredentials,
    make_authenticator,
    make_peer,
    restore_authenticator,
    restore_peer,
)
from holdfast.ppp.authentication_packets import parse_failure
from holdfast.ppp.authentication_types import EapRequest
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.secret import Secret
from support.authentication import METHODS, PASSWORD, Pair, build_packet

VALUES = st.sampled_from([0, 8, 16, 48, 49, 50, 255]).flatmap(
    lambda size: st.binary(max_size=60).map(lambda data: bytes((size,)) + data.ljust(size, b"x") + b"User")
)
TEXTS = st.sampled_from([b"", b"S=" + b"0" * 40, b"E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3", b"E=648 R=0 V=2"])
PACKETS = st.builds(
    build_packet, st.integers(0, 8), st.sampled_from([0, 1, 2, 3, 255]), st.binary(max_size=80) | VALUES | TEXTS
)
STEPS = st.lists(PACKETS | st.binary(max_size=20) | st.just(b"timer"), max_size=25)
CONFIG = AuthenticatorConfig(rechallenge_interval=30.0)
CREDENTIALS = PeerCredentials("User", Secret(PASSWORD))
STORED = StoredSecret.from_password(Secret(PASSWORD))


@settings(deadline=None, max_examples=150)
@given(method=st.sampled_from(METHODS), steps=STEPS, restart=st.integers(0, 25))
def test_a_hostile_peer(method: Method, steps: list[bytes], restart: int) -> None:
    machine = make_authenticator(method, CONFIG, bytes)
    machine.start(0.0)
    machine.outgoing()
    for index, step in enumerate(steps):
        now = float(index)
        if step == b"timer":
            now = machine.deadline or now
            machine.handle_timer(now)
        else:
            machine.receive(step, now)
        assert len(machine.outgoing()) <= 2
        assert len(machine.events()) <= 3
        questions = machine.commands()
        assert len(questions) <= 1
        for question in questions:
            machine.credentials_verified(verify(question.exchange, STORED), now)
        if index == restart:
            machine = restore_authenticator(machine.snapshot(), CONFIG, bytes)
    assert machine.outcome is None or not machine.outcome.succeeded


EAP_DATA = st.builds(
    lambda kind, data: bytes((kind,)) + data,
    st.sampled_from([1, 2, 3, 4, 13, 25, 26, 254, 255]),
    st.binary(max_size=60),
)
EAP_PACKETS = st.builds(build_packet, st.integers(0, 8), st.integers(0, 8), EAP_DATA | st.binary(max_size=40))
EAP_STEPS = st.lists(EAP_PACKETS | st.binary(max_size=20) | st.just(b"timer"), max_size=25)


@settings(deadline=None, max_examples=200)
@given(steps=EAP_STEPS, answers=st.lists(EAP_PACKETS | st.binary(max_size=9), min_size=1), restart=st.integers(0, 25))
def test_a_hostile_peer_and_a_server_gone_mad(steps: list[bytes], answers: list[bytes], restart: int) -> None:
    """Whatever either side says by EAP, nobody is let in, and only well-formed Requests and Failures go out."""
    machine = make_authenticator(Method.EAP, CONFIG, bytes)
    machine.start(0.0)
    for index, step in enumerate(steps):
        if step == b"timer":
            machine.handle_timer(machine.deadline or 0.0)
        else:
            machine.receive(step, float(index))
        for question in machine.commands():
            assert question.exchange.message.reveal() == step[: int.from_bytes(step[2:4])]
            request = EapRequest(Secret(answers[index % len(answers)]), "server", Secret(b"state"), float(index))
            machine.credentials_verified(request, float(index))
        sent = machine.outgoing()
        assert len(sent) <= 2
        assert all(len(one) == int.from_bytes(one[2:4]) and one[0] in (1, 4) for one in sent)
        assert len(machine.events()) <= 3
        if index == restart:
            machine = restore_authenticator(machine.snapshot(), CONFIG, bytes)
    assert machine.outcome is None or not machine.outcome.succeeded


@settings(deadline=None, max_examples=150)
@given(method=st.sampled_from(METHODS), steps=STEPS, restart=st.integers(0, 25))
def test_a_hostile_server(method: Method, steps: list[bytes], restart: int) -> None:
    """PAP, CHAP and MS-CHAPv1 cannot tell who says yes; MS-CHAPv2 can."""
    machine = make_peer(method, CREDENTIALS, bytes)
    machine.start(0.0)
    for index, step in enumerate(steps):
        if step == b"timer":
            machine.handle_timer(machine.deadline or 0.0)
        else:
            machine.receive(step, float(index))
        assert len(machine.outgoing()) <= 2
        assert len(machine.events()) <= 3
        if index == restart:
            machine = restore_peer(machine.snapshot(), CREDENTIALS, bytes)
    if method is Method.MS_CHAP_V2:
        assert machine.outcome is None or not machine.outcome.succeeded


@settings(deadline=None, max_examples=100)
@given(
    method=st.sampled_from(METHODS),
    user=st.text(max_size=20),
    password=st.text(max_size=20),
    guess=st.none() | st.text(max_size=20),
    seed=st.integers(0, 1 << 32),
)
def test_exactly_the_right_password_opens(
    method: Method, user: str, password: str, guess: str | None, seed: int
) -> None:
    stored = StoredSecret.from_password(Secret.from_text(password))
    tried = password if guess is None else guess
    pair = Pair(
        method,
        user=user,
        password=tried.encode(),
        config=AuthenticatorConfig(max_attempts=1),
        judged_by=lambda exchange: verify(exchange, stored),
        seed=seed,
    ).start()
    assert pair.authenticator.outcome is not None
    assert pair.peer.outcome is not None
    assert pair.authenticator.outcome.succeeded == pair.peer.outcome.succeeded == (tried == password)


@settings(deadline=None)
@given(text=st.binary(max_size=600) | TEXTS)
def test_failure_texts(text: bytes) -> None:
    failure = parse_failure(text)
    assert 0 <= failure.error < 10**10
    assert failure.message.isprintable()
    assert failure.challenge is None or len(failure.challenge) <= 16
