"""PAP: the packets of RFC 1334 section 2.2 and what happens to bad ones."""

import pytest

from holdfast.events import PppViolation
from holdfast.ppp.authentication import AuthenticatorConfig, Method, PapExchange, PeerCredentials, Verdict
from holdfast.ppp.authentication_packets import build_request, parse_request
from holdfast.ppp.pap import PapAuthenticator, PapPeer
from holdfast.secret import Secret

REQUEST = bytes.fromhex("01 07 0010 04 69786961 06 736573616d65")


def authenticator() -> PapAuthenticator:
    machine = PapAuthenticator(Method.PAP, AuthenticatorConfig(), bytes)
    machine.start(0.0)
    return machine


def peer(user: str = "ixia", password: bytes = b"sesame") -> PapPeer:
    machine = PapPeer(Method.PAP, PeerCredentials(user, Secret(password)), lambda size: b"\x07" * size)
    machine.start(0.0)
    return machine


def test_the_request_of_a_peer() -> None:
    assert peer().outgoing() == [REQUEST]


def test_the_question_and_both_answers() -> None:
    for verdict, answer in (
        (Verdict.accept(message="hello"), "02 07 000a 05 68656c6c6f"),
        (Verdict.reject(message="no"), "03 07 0007 02 6e6f"),
    ):
        machine = authenticator()
        machine.receive(REQUEST + b"padding", 1.0)
        (question,) = machine.commands()
        assert question.exchange == PapExchange(b"ixia", 7, Secret(b"sesame"))
        machine.credentials_verified(verdict, 2.0)
        assert machine.outgoing() == [bytes.fromhex(answer)]


def test_each_transmission_has_its_own_identifier_and_any_of_them_may_be_answered() -> None:
    machine = peer()
    machine.handle_timer(3.0)
    machine.handle_timer(6.0)
    assert [packet[1] for packet in machine.outgoing()] == [7, 8, 9]
    machine.receive(bytes.fromhex("02 0a 0005 00"), 7.0)
    assert machine.outcome is None
    machine.receive(bytes.fromhex("02 08 0005 00"), 7.0)
    assert machine.outcome is not None
    assert machine.outcome.succeeded


def test_the_answer_goes_to_the_latest_of_several_requests() -> None:
    machine = authenticator()
    machine.receive(REQUEST, 1.0)
    machine.receive(REQUEST[:1] + b"\x08" + REQUEST[2:], 4.0)
    assert len(machine.commands()) == 1
    machine.credentials_verified(Verdict.accept(), 5.0)
    assert [packet[1] for packet in machine.outgoing()] == [8]


def test_other_credentials_while_the_first_are_being_judged_do_not_count() -> None:
    machine = authenticator()
    machine.receive(REQUEST, 1.0)
    machine.receive(bytes.fromhex("01 08 000a 01 75 03 717171"), 1.0)
    assert len(machine.commands()) == 1
    machine.credentials_verified(Verdict.accept(), 5.0)
    assert machine.outcome is not None
    assert machine.outcome.user == "ixia"
    assert [packet[1] for packet in machine.outgoing()] == [7]


@pytest.mark.parametrize("data", ["", "05", "0561", "0161", "016102", "01610270", "ff" + "61" * 100, "00"])
def test_lengths_that_do_not_fit(data: str) -> None:
    assert parse_request(bytes.fromhex(data)) is None
    machine = authenticator()
    machine.receive(b"\x01\x01" + (4 + len(data) // 2).to_bytes(2, "big") + bytes.fromhex(data), 1.0)
    assert machine.commands() == []
    assert machine.outgoing() == []
    assert [type(event) for event in machine.events()] == [PppViolation]


@pytest.mark.parametrize("code", [0, 2, 3, 4, 255])
def test_codes_for_the_other_side_are_violations(code: int) -> None:
    machine = authenticator()
    machine.receive(bytes((code, 1, 0, 4)), 0.0)
    assert len(machine.events()) == 1


def test_a_peer_ignores_its_own_code() -> None:
    machine = peer()
    machine.outgoing()
    machine.receive(REQUEST, 0.0)
    assert machine.outcome is None
    assert machine.outgoing() == []
    assert len(machine.events()) == 1


def test_too_long_for_pap() -> None:
    machine = peer("u" * 256)
    assert machine.outcome is not None
    assert not machine.outcome.succeeded
    assert machine.outgoing() == []
    with pytest.raises(ValueError, match="255"):
        build_request(b"", bytes(256))


def test_a_peer_cannot_fill_the_log() -> None:
    machine = authenticator()
    for _ in range(1000):
        machine.receive(b"\x01", 0.0)
    assert len(machine.events()) == 8
