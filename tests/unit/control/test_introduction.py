"""Introductions and leave-taking, as verdicts."""

import pytest

from holdfast.control.codes import Role, StartResult, StopReason
from holdfast.control.config import ControlConfig
from holdfast.control.connection_table import ConnectionInput
from holdfast.control.introduction import (
    StartMessage,
    introduced,
    start_failure,
    start_input,
    start_reply,
    start_request,
    stopped_by_peer,
)
from holdfast.control.messages import StartControlConnectionReply, StartControlConnectionRequest
from holdfast.errors import DisconnectReason
from holdfast.events import ControlEstablished

OURS = ControlConfig(host_name="pac.example", vendor="Test", firmware_revision=7, maximum_channels=9)


def request(version: int) -> StartControlConnectionRequest:
    return StartControlConnectionRequest(version, 3, 3, 0, 1, "", "")


def reply(version: int, result: int, error: int = 0) -> StartControlConnectionReply:
    return StartControlConnectionReply(version, result, error, 3, 3, 0, 1, "", "")


def test_what_we_say() -> None:
    assert start_request(OURS) == StartControlConnectionRequest(0x0100, 3, 3, 9, 7, "pac.example", "Test")
    answer = start_reply(OURS, StartResult.ALREADY_EXISTS)
    assert answer == StartControlConnectionReply(0x0100, 3, 0, 3, 3, 9, 7, "pac.example", "Test")


def test_what_the_peer_says() -> None:
    peer = StartControlConnectionRequest(0x0100, 3, 3, 0, 2600, "host", "Microsoft")
    assert introduced(peer) == ControlEstablished("host", "Microsoft", 2600, 0x0100)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (request(0x0100), ConnectionInput.START_REQUEST),
        (request(0x0101), ConnectionInput.START_REQUEST),
        (request(0x0200), ConnectionInput.START_REQUEST),
        (request(0x00FF), ConnectionInput.START_REQUEST_BAD_VERSION),
        (request(0), ConnectionInput.START_REQUEST_BAD_VERSION),
        (reply(0x0100, 1), ConnectionInput.START_REPLY),
        (reply(0x0001, 1), ConnectionInput.START_REPLY_BAD_VERSION),
        (reply(0x0100, 2, 4), ConnectionInput.START_REPLY_REFUSED),
        (reply(0x0100, 0), ConnectionInput.START_REPLY_REFUSED),
        (reply(0x0000, 5), ConnectionInput.START_REPLY_REFUSED),
    ],
)
def test_what_it_means(message: StartMessage, what: ConnectionInput) -> None:
    assert start_input(message) is what
    good = what in (ConnectionInput.START_REQUEST, ConnectionInput.START_REPLY)
    assert bool(start_failure(what, message)) is not good


def test_why_it_fails() -> None:
    refused = start_failure(ConnectionInput.START_REPLY_REFUSED, reply(0x0100, 2, 4))
    assert (
        refused
        == "the peer refused: result 2 (General Error), error 4 (No-Resource: not enough resources for this now)"
    )
    assert "0x0001" in start_failure(ConnectionInput.START_REQUEST_BAD_VERSION, request(1))


@pytest.mark.parametrize(
    ("role", "reason", "end"),
    [
        (Role.PAC, StopReason.NONE, DisconnectReason.USER_REQUEST),
        (Role.PAC, StopReason.STOP_LOCAL_SHUTDOWN, DisconnectReason.USER_REQUEST),
        (Role.PAC, 77, DisconnectReason.USER_REQUEST),
        (Role.PNS, StopReason.STOP_LOCAL_SHUTDOWN, DisconnectReason.GATEWAY_SHUTDOWN),
        (Role.PNS, StopReason.STOP_PROTOCOL, DisconnectReason.NEGOTIATION_FAILED),
    ],
)
def test_what_a_stop_of_the_peer_means(role: Role, reason: int, end: DisconnectReason) -> None:
    assert stopped_by_peer(role, reason)[0] is end
    assert f"reason {reason} (" in stopped_by_peer(role, reason)[1]
