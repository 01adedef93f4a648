"""RADIUS packets: the RFC's own, ours, and those of strangers."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.hiding import reveal_password
from holdfast.radius.packet import (
    PacketFault,
    RadiusPacket,
    read_packet,
    read_reply,
    read_request,
    verify_access_request,
    write_reply,
    write_request,
)
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError

VECTORS = tomllib.loads((Path(__file__).parents[2] / "vectors" / "rfc2865.toml").read_text())
SHARED = Secret(b"testing123")
RANDOM = bytes(range(16))
USER = attribute("User-Name", "alice")


@pytest.mark.parametrize("case", VECTORS["exchange"], ids=lambda case: case["origin"])
def test_exchanges_of_the_rfc(case):
    shared = Secret.from_text(VECTORS["shared_secret"])
    request = read_packet(bytes.fromhex(case["request"]))
    assert request.values.text("User-Name") == case["user"]
    if "password" in case:
        hidden = request.values.octets("User-Password")
        assert reveal_password(hidden, shared, request.authenticator) == Secret.from_text(case["password"])
    octets = bytes.fromhex(case["reply"])
    reply = read_reply(octets, request.authenticator, shared, require_message_authenticator=False)
    assert isinstance(reply, RadiusPacket)
    assert reply.code == Code.ACCESS_ACCEPT
    assert read_reply(octets, request.authenticator, shared) is PacketFault.NO_MESSAGE_AUTHENTICATOR
    assert read_reply(octets, RANDOM, shared) is PacketFault.WRONG_AUTHENTICATOR


def test_message_authenticator_stands_first_and_is_checked():
    octets = write_request(Code.ACCESS_REQUEST, 7, [USER], SHARED, RANDOM)
    assert octets[20:22] == bytes((80, 18))
    assert octets[4:20] == RANDOM
    assert isinstance(verify_access_request(octets, SHARED), RadiusPacket)
    assert verify_access_request(octets, Secret(b"other")) is PacketFault.WRONG_MESSAGE_AUTHENTICATOR
    reply = write_reply(Code.ACCESS_ACCEPT, read_packet(octets), [USER], SHARED)
    assert reply[20:22] == bytes((80, 18))
    assert isinstance(read_reply(reply, RANDOM, SHARED), RadiusPacket)


def test_any_octet_of_a_reply_that_changes_is_noticed():
    request = read_packet(write_request(Code.ACCESS_REQUEST, 7, [USER], SHARED, RANDOM))
    reply = write_reply(Code.ACCESS_REJECT, request, [USER], SHARED)
    for at in range(len(reply)):
        changed = reply[:at] + bytes((reply[at] ^ 1,)) + reply[at + 1 :]
        assert isinstance(read_reply(changed, RANDOM, SHARED), PacketFault)


@pytest.mark.parametrize("code", [Code.ACCOUNTING_REQUEST, Code.DISCONNECT_REQUEST, Code.COA_REQUEST])
def test_requests_whose_authenticator_is_a_digest(code):
    octets = write_request(code, 7, [USER], SHARED)
    signed = code is not Code.ACCOUNTING_REQUEST
    assert isinstance(read_request(octets, SHARED, require_message_authenticator=signed), RadiusPacket)
    assert read_request(octets, Secret(b"other")) is PacketFault.WRONG_AUTHENTICATOR
    if not signed:
        assert read_request(octets, SHARED) is PacketFault.NO_MESSAGE_AUTHENTICATOR


def test_padding_behind_the_length_is_ignored():
    octets = write_request(Code.DISCONNECT_REQUEST, 7, [USER], SHARED)
    assert isinstance(read_request(octets + b"padding", SHARED), RadiusPacket)


@pytest.mark.parametrize("octets", [b"", bytes(19), b"\x01\x00\x00\x13" + bytes(16), b"\x01\x00\x00\xff" + bytes(16)])
def test_what_is_no_packet(octets):
    with pytest.raises(MalformedError):
        read_packet(octets)
    assert read_request(octets, SHARED) is PacketFault.MALFORMED
    assert verify_access_request(octets, SHARED) is PacketFault.MALFORMED


def test_a_message_authenticator_of_a_wrong_length():
    bad = bytes((80, 3, 0))
    octets = b"\x01\x07" + (20 + len(bad)).to_bytes(2) + RANDOM + bad
    assert verify_access_request(octets, SHARED) is PacketFault.WRONG_MESSAGE_AUTHENTICATOR


def test_a_packet_that_would_be_too_long():
    with pytest.raises(ValueError, match="4096"):
        write_request(Code.ACCESS_REQUEST, 1, [attribute("Class", bytes(250))] * 20, SHARED, RANDOM)


@given(st.binary(max_size=200))
def test_no_octets_are_too_strange(octets):
    assert isinstance(read_request(octets, SHARED), PacketFault)
    assert isinstance(read_reply(octets, RANDOM, SHARED), PacketFault)
    assert isinstance(verify_access_request(octets, SHARED), PacketFault)
