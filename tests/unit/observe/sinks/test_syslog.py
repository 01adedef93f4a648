"""Syslog over UDP, TCP and TLS."""

import os
import platform
import re
from pathlib import Path

import pytest

from holdfast.observe.sinks.stream import Stream, Tls
from holdfast.observe.sinks.syslog import FACILITIES, SyslogDatagrams, SyslogStream, message
from unit.observe.sinks.receivers import LINES, certificate, tcp, udp, until


def test_a_message_is_what_rfc_5424_says() -> None:
    text = message(LINES[0], FACILITIES["local3"])
    head = f"<{19 * 8 + 4}>1 2026-03-01T10:00:00.000+01:00 {platform.node()} holdfast {os.getpid()} AUTH_FAIL - "
    assert text == head.encode() + LINES[0].rstrip()


@pytest.mark.parametrize(("severity", "number"), [("debug", 31), ("info", 30), ("notice", 29), ("error", 27)])
def test_severities(severity: str, number: int) -> None:
    line = LINES[0].replace(b"warning", severity.encode())
    assert message(line, FACILITIES["daemon"]).startswith(b"<%d>1 " % number)


def test_datagrams() -> None:
    with udp() as receiver:
        sink = SyslogDatagrams("x", "127.0.0.1", receiver.getsockname()[1], 3)
        sink.send(LINES)
        assert [receiver.recv(65536) for _ in LINES] == [message(line, 3) for line in LINES]
        sink.close()


def unframed(octets: bytes) -> list[bytes]:
    """Take octet-counted frames apart (RFC 6587 section 3.4.1)."""
    found = []
    while octets:
        length = re.match(rb"(\d+) ", octets)
        assert length
        start = length.end()
        found.append(octets[start : start + int(length[1])])
        octets = octets[start + int(length[1]) :]
    return found


def test_tcp_counts_octets() -> None:
    with tcp() as receiver:
        sink = SyslogStream("x", Stream("127.0.0.1", receiver.port), 3)
        sink.send(LINES)
        expected = [message(line, 3) for line in LINES]
        until(lambda: len(receiver.received) >= sum(map(len, expected)))
        assert unframed(bytes(receiver.received)) == expected
        sink.close()


def test_tls_with_an_authority_of_its_own(tmp_path: Path) -> None:
    cert, context = certificate(tmp_path)
    with tcp(context) as receiver:
        sink = SyslogStream("x", Stream("127.0.0.1", receiver.port, Tls(ca=cert)), 3)
        sink.send(LINES)
        sink.send(LINES)
        until(lambda: receiver.received.count(b"IP_UP -") == 2)
        sink.close()


def test_tls_does_not_talk_to_strangers(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with tcp(context) as receiver:
        sink = SyslogStream("x", Stream("127.0.0.1", receiver.port, Tls()), 3)
        with pytest.raises(OSError, match="certificate"):
            sink.send(LINES)
        assert not receiver.received
