"""What real peers sent, as `TRUTH.md` beside the captures has it."""

import pytest

from holdfast.control.messages import (
    CallDisconnectNotify,
    ControlMessage,
    OutgoingCallReply,
    StartControlConnectionReply,
)
from holdfast.control.stream import MessageStream, StreamViolation
from support.captures import control_segments

pytestmark = pytest.mark.captures

START = ["Start-Control-Connection-Request", "Outgoing-Call-Request"]
STARTED = ["Start-Control-Connection-Reply", "Outgoing-Call-Reply"]


def conversation(name: str) -> tuple[list[ControlMessage | StreamViolation], list[ControlMessage | StreamViolation]]:
    """What the client and the server of the one connection in a capture said."""
    said: dict[bool, list[ControlMessage | StreamViolation]] = {False: [], True: []}
    for segments in control_segments(name):
        stream = MessageStream(passive=True)
        said[segments.from_server] += [item for payload in segments.payloads for item in stream.feed(payload)]
    return said[False], said[True]


def names(items: list[ControlMessage | StreamViolation]) -> list[str]:
    return [item.name if isinstance(item, ControlMessage) else str(item.kind) for item in items]


@pytest.mark.parametrize(
    ("name", "client", "server"),
    [
        ("tcpdump__pptp.pcap", [*START, "Set-Link-Info"], STARTED),
        (
            "nDPI__pptp.pcap",
            [*START, "Call-Clear-Request"],
            [*STARTED, "Set-Link-Info", "Set-Link-Info", "Call-Disconnect-Notify"],
        ),
        ("asleap__pptp_80211.dump", [*START, "Set-Link-Info", "Set-Link-Info"], STARTED),
        ("mercury__capture2.pcap", START, STARTED),
    ],
)
def test_every_message_is_read(name: str, client: list[str], server: list[str]) -> None:
    said_by_client, said_by_server = conversation(name)
    assert names(said_by_client) == client
    assert names(said_by_server) == server


def test_a_cisco_server_introduces_itself() -> None:
    reply, call = conversation("mercury__capture2.pcap")[1]
    assert isinstance(reply, StartControlConnectionReply)
    assert (reply.host_name, reply.vendor_string) == ("ixro-smdev-r1", "Cisco Systems, Inc.")
    assert isinstance(call, OutgoingCallReply)
    assert (call.call_id, call.peer_call_id, call.result_code, call.connect_speed) == (24, 1, 1, 64000)


def test_windows_answers_a_normal_clear_with_result_0_and_our_call_id() -> None:
    said_by_server = conversation("nDPI__pptp.pcap")[1]
    call, notify = said_by_server[1], said_by_server[-1]
    assert isinstance(call, OutgoingCallReply)
    assert isinstance(notify, CallDisconnectNotify)
    assert (call.call_id, notify.call_id, notify.result_code) == (11755, 0, 0)


@pytest.mark.parametrize(
    "name",
    ["wireshark__http_clientport1723_only_NEGATIVE.pcap", "wireshark__ldap_clientport1723_only_NEGATIVE.pcap"],
)
def test_what_only_uses_the_port_is_not_taken_for_pptp(name: str) -> None:
    for said in conversation(name):
        assert said
        assert set(names(said)) == {"wrong_cookie"}
