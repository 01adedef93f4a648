"""An event as a record."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from holdfast.events import Event, IpOpened, PeerIdentified, SendFailed
from holdfast.observe.record import TimeWriter, build_record, encode, make_record
from holdfast.secret import Secret

STAMP = "2026-03-01T10:00:00.000+01:00"


def test_the_facts_own_fields_win_over_the_context_and_empty_context_is_left_out():
    context = {"session": "s", "user": "", "local_address": "wrong", "client_ip": None}
    record = make_record(IpOpened("10.0.0.1", "10.0.0.2", ("10.0.0.53",)), context, datetime(2026, 1, 2, tzinfo=UTC))
    assert list(record)[:4] == ["ts", "event", "severity", "v"]
    assert record["local_address"] == "10.0.0.1"
    assert record["dns"] == ("10.0.0.53",)
    assert "user" not in record
    assert "client_ip" not in record


def test_a_zero_in_the_context_stays():
    assert build_record(SendFailed(1), {"result_code": 0}, STAMP)["result_code"] == 0


@pytest.mark.parametrize("text", ["zoë", "\ud800", 'a"b\\c', "line\nbreak", "\x00\x1b[31m", "\u2028"])
def test_any_text_becomes_one_line_of_json(text):
    octets = encode(build_record(PeerIdentified(text), {}, STAMP))
    assert b"\n" not in octets
    assert json.loads(octets)["text"] == text


@dataclass(frozen=True, slots=True)
class Odd(Event):
    """An event that breaks the rule that fields are plain."""

    name: ClassVar[str] = "ODD"
    value: Any


@pytest.mark.parametrize("value", [Secret(b"hunter2hunter2"), object(), {"key": Secret(b"hunter2hunter2")}])
def test_what_is_not_plain_is_not_written(value):
    octets = encode(build_record(Odd(value), {}, STAMP))
    record = json.loads(octets)
    assert record["event"] == "INTERNAL_FAULT"
    assert "ODD" in record["detail"]
    assert b"hunter2" not in octets


def test_numbers_that_json_does_not_know_become_null():
    assert json.loads(encode(build_record(Odd(float("nan")), {}, STAMP)))["value"] is None


def test_times_have_milliseconds_and_a_zone():
    write = TimeWriter()
    for seconds in (0.0, 1772355761.1134, 1772355761.9999, 1772355762.0):
        text = write(seconds)
        assert datetime.fromisoformat(text).timestamp() == pytest.approx(seconds, abs=0.001)
        assert len(text) == 29
