"""Disconnect and CoA requests: whose are taken, and how often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.radius import dynamic
from holdfast.radius.attributes import attribute, write_attributes
from holdfast.radius.codes import Code, ErrorCause
from holdfast.radius.dynamic import WINDOW, Answered, DynamicRequest, DynamicServer, Match
from holdfast.radius.packet import RadiusPacket, _assemble, _sign, read_packet, read_reply, write_request
from holdfast.secret import Secret

SHARED = Secret(b"testing123")
SOURCE = ("192.0.2.10", 4000)
NOW = 1_800_000_000.0
SESSION = attribute("Acct-Session-Id", "s1")
USER = attribute("User-Name", "alice")
STAMP = attribute("Event-Timestamp", int(NOW))


def server() -> DynamicServer:
    return DynamicServer({SOURCE[0]: SHARED}, "holdfast")


def request(*attributes, code: int = Code.DISCONNECT_REQUEST, secret: Secret = SHARED, identifier: int = 1) -> bytes:
    return write_request(code, identifier, attributes, secret)


def cause_of(octets: bytes, asked: bytes) -> tuple[int, int | None]:
    reply = read_reply(octets, read_packet(asked).authenticator, SHARED)
    assert isinstance(reply, RadiusPacket)
    return reply.code, reply.values.integer("Error-Cause")


@pytest.mark.parametrize(("code", "ack", "nak"), [(40, 41, 42), (43, 44, 45)])
def test_what_is_taken_is_answered_by_whoever_carries_it_out(code, ack, nak):
    asked = request(SESSION, STAMP, attribute("Proxy-State", b"p"), code=code)
    found = server().receive(asked, SOURCE, NOW)
    assert isinstance(found, DynamicRequest)
    assert found.match == Match(session="s1")
    assert found.disconnects == (code == 40)
    yes = server().answer(found)
    assert cause_of(yes, asked) == (ack, None)
    assert read_packet(yes).values.octets("Proxy-State") == b"p"
    assert cause_of(server().answer(found, ErrorCause.SESSION_CONTEXT_NOT_FOUND), asked) == (nak, 503)


def test_every_part_of_a_match():
    named = [
        SESSION,
        USER,
        attribute("Framed-IP-Address", b"\x0a\x4d\x00\x0a"),
        attribute("Calling-Station-Id", "192.0.2.9"),
        attribute("NAS-IP-Address", b"\xc0\x00\x02\x01"),
        attribute("NAS-Identifier", "holdfast"),
    ]
    found = server().receive(request(*named), SOURCE, NOW)
    assert found.match == Match("s1", "alice", "10.77.0.10", "192.0.2.9", "192.0.2.1")


def test_repetition_gets_the_same_answer_and_is_done_once():
    one = server()
    asked = request(SESSION)
    found = one.receive(asked, SOURCE, NOW)
    assert one.receive(asked, SOURCE, NOW) == Answered(b"")
    reply = one.answer(found)
    assert one.receive(asked, SOURCE, NOW) == Answered(reply)
    assert one.receive(asked, (SOURCE[0], 4001), NOW) == Answered(reply), "a replay has a port of its own"


def test_who_cannot_sign_may_be_excused():
    octets = _assemble(Code.DISCONNECT_REQUEST, 1, bytes(16), write_attributes([SESSION]))
    bare = _sign(octets, SHARED)
    assert "no Message-Authenticator" in server().receive(bare, SOURCE, NOW).why
    excusing = DynamicServer({SOURCE[0]: SHARED}, "holdfast", frozenset({SOURCE[0]}))
    assert isinstance(excusing.receive(bare, SOURCE, NOW), DynamicRequest)
    forged = bare[:-1] + b"2"
    assert isinstance(excusing.receive(forged, SOURCE, NOW), Answered), "what it signs must fit"


@pytest.mark.parametrize("apart", [-WINDOW - 2, WINDOW + 2])
def test_what_is_old_is_dropped(apart):
    found = server().receive(request(USER, STAMP), SOURCE, NOW + apart)
    assert found.octets == b""
    assert "clock" in found.why


@pytest.mark.parametrize(
    ("attributes", "cause", "why"),
    [
        ((USER,), 402, "Event-Timestamp"),
        ((STAMP,), 402, "which session"),
        ((STAMP, attribute("NAS-IP-Address", b"\xc0\x00\x02\x01")), 402, "which session"),
        ((SESSION, attribute("NAS-Identifier", "another")), 403, "'another'"),
        ((SESSION, attribute("Service-Type", 17)), 405, "Authorize-Only"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_cause(attributes, cause, why):
    asked = request(*attributes)
    found = server().receive(asked, SOURCE, NOW)
    assert isinstance(found, Answered)
    assert cause_of(found.octets, asked) == (42, cause)
    assert why in found.why


@pytest.mark.parametrize(
    ("octets", "source"),
    [
        (request(SESSION), ("192.0.2.66", 4000)),
        (request(SESSION, secret=Secret(b"wrong")), SOURCE),
        (request(SESSION, code=Code.ACCOUNTING_REQUEST), SOURCE),
        (b"", SOURCE),
    ],
)
def test_strangers_get_nothing(octets, source):
    found = server().receive(octets, source, NOW)
    assert found.octets == b""
    assert found.why


def test_memory_of_answers_is_bounded(monkeypatch):
    monkeypatch.setattr(dynamic, "REMEMBERED", 100)
    one = server()
    for number in range(150):
        one.receive(request(attribute("Acct-Session-Id", f"s{number}"), identifier=number % 256), SOURCE, NOW)
    assert len(one._seen) == 100


@given(st.binary(max_size=120))
def test_no_datagram_is_too_strange(octets):
    assert server().receive(octets, SOURCE, NOW).octets == b""
