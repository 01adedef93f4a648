"""GELF over UDP and TCP."""

import json
import random
import zlib

import pytest

from holdfast.observe.sinks.gelf import CHUNK, GelfDatagrams, GelfStream, datagrams, message
from holdfast.observe.sinks.stream import Stream
from unit.observe.sinks.receivers import LINES, SECONDS, tcp, udp, until


def test_a_message_is_what_graylog_takes() -> None:
    first, second = (json.loads(message(line)) for line in LINES)
    assert (first["version"], first["timestamp"], first["level"]) == ("1.1", SECONDS, 4)
    assert first["short_message"].startswith("warning AUTH_FAIL 5e55 user=zoë")
    assert (first["_user"], first["_result_code"], first["_event"]) == ("zoë", 691, "AUTH_FAIL")
    assert (second["_dns"], second["_by_peer"], second["_duration"]) == ("10.0.0.1,10.0.0.2", 1, 1.5)


def test_datagrams_are_compressed() -> None:
    with udp() as receiver:
        sink = GelfDatagrams("x", "127.0.0.1", receiver.getsockname()[1])
        sink.send(LINES)
        assert [json.loads(zlib.decompress(receiver.recv(65536)))["_seq"] for _ in LINES] == [1, 2]
        sink.close()


def test_what_is_long_goes_in_chunks() -> None:
    text = random.Random(1).randbytes(5 * CHUNK)
    parts = list(datagrams(text))
    assert len(parts) == 6
    assert all(part[:2] == b"\x1e\x0f" and len(part) <= CHUNK + 12 for part in parts)
    assert len({part[2:10] for part in parts}) == 1
    assert [tuple(part[10:12]) for part in parts] == [(number, 6) for number in range(6)]
    assert zlib.decompress(b"".join(part[12:] for part in parts)) == text


def test_what_is_too_long_is_said() -> None:
    with pytest.raises(ValueError, match="too long"):
        list(datagrams(random.Random(1).randbytes(200 * CHUNK)))


def test_tcp_ends_each_message_with_a_null_octet() -> None:
    with tcp() as receiver:
        sink = GelfStream("x", Stream("127.0.0.1", receiver.port))
        sink.send(LINES)
        until(lambda: receiver.received.count(0) == 2)
        assert [json.loads(part)["_seq"] for part in bytes(receiver.received).split(b"\0")[:2]] == [1, 2]
        sink.close()
