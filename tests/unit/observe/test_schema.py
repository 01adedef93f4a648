"""The schema is what is written."""

import json
from dataclasses import fields
from typing import Any

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import Event, SessionEnded, Severity
from holdfast.observe.chain import GENESIS, compose
from holdfast.observe.record import build_record, encode
from holdfast.observe.schema import _json_type, event_types, field_rows, schema, summary
from holdfast.observe.schema_words import ENVELOPE_WORDS
from support.log_schema import fits

STAMP = "2026-03-01T10:00:00.000+01:00"
SAMPLES: dict[str, Any] = {"str": "x", "int": 1, "float": 0.5, "bool": True}


def sample(kind: type[Event]) -> Event:
    """Make an event with some value in each field."""
    shapes = schema()["$defs"][kind.name]["properties"]
    return kind(**{field.name: _value(shapes[field.name]) for field in fields(kind)})


def _value(shape: dict[str, Any]) -> Any:
    if "enum" in shape:
        return shape["enum"][0]
    if "anyOf" in shape:
        return _value(shape["anyOf"][0])
    if shape["type"] == "array":
        return (_value(shape["items"]),)
    return {"string": "x", "integer": 1, "number": 0.5, "boolean": True, "null": None}[shape["type"]]


@pytest.mark.parametrize("kind", event_types(), ids=lambda kind: kind.name)
def test_every_event_fits_the_schema(kind: type[Event]) -> None:
    line, _ = compose(encode(build_record(sample(kind), {"session": "s", "user": "u"}, STAMP)), 1, GENESIS)
    assert fits(json.loads(line)) == []


@pytest.mark.parametrize("kind", event_types(), ids=lambda kind: kind.name)
def test_every_event_says_what_it_means(kind: type[Event]) -> None:
    assert len(summary(kind)) > 15
    assert kind.name.isupper()
    assert kind.severity is kind.severities()[0]
    assert sample(kind).level() in kind.severities()
    assert all(isinstance(each, Severity) for each in kind.severities())


def test_no_field_of_an_event_hides_what_the_log_itself_writes() -> None:
    own = {"ts", "event", "severity", "v", "seq", "chain", "session", "connection"}
    assert not [(event, name) for event, name, _, _ in field_rows() if event and name in own]


def test_fields_that_the_envelope_has_too_are_of_the_same_type() -> None:
    for event, name, kind, _ in field_rows():
        if event and name in ENVELOPE_WORDS:
            assert kind == ENVELOPE_WORDS[name][0], (event, name)


def test_names_are_unique() -> None:
    names = [kind.name for kind in event_types()]
    assert len(set(names)) == len(names) > 50


def test_a_field_that_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError, match="not plain"):
        _json_type(dict[str, str])


def test_a_line_that_does_not_fit_is_seen() -> None:
    """The check itself can fail."""
    good = {"ts": STAMP, "event": "SEND_FAILED", "severity": "warning", "v": 1, "seq": 1, "chain": "0" * 64}
    assert fits({**good, "error_number": 1}) == []
    assert fits(good) == ["error_number is missing"]
    assert fits({**good, "error_number": "1"}) == ["error_number is no integer"]
    assert fits({**good, "error_number": 1, "surprise": 1}) == ["surprise is not in the schema"]
    assert fits({**good, "error_number": 1, "severity": "loud"})
    assert fits({**good, "event": "NEVER"}) == ["there is no event NEVER"]


@pytest.mark.parametrize("reason", DisconnectReason)
def test_an_end_that_nobody_wanted_asks_for_attention(reason: DisconnectReason) -> None:
    """`holdfast events --severity warning`, and a sink that filters, show it."""
    record = build_record(SessionEnded(reason, "because", "alice", 0, 0, 0, 0, 1.0), {}, STAMP)
    wanted = {"user_request", "admin", "idle_timeout", "session_timeout", "volume_limit", "replaced"}
    wanted |= {"gateway_shutdown", "radius_disconnect"}
    ours = {"protocol_failure", "internal_error"}
    assert record["severity"] == ("info" if reason in wanted else "error" if reason in ours else "warning")
    line, _ = compose(encode(record), 1, GENESIS)
    assert fits(json.loads(line)) == []
