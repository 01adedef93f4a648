"""The readable record and chain, and the Rust core, write the same octets."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import _native
from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, Event, SessionEnded, Severity
from holdfast.observe.chain import compose
from holdfast.observe.record import build_record, encode
from holdfast.observe.rendering import event_text
from holdfast.secret import Secret

STAMP = "2026-03-01T10:00:00.000+01:00"


@dataclass(frozen=True, slots=True)
class Odd(Event):
    """An event that breaks every rule about fields."""

    name: ClassVar[str] = 'O"DD\n'
    severity: ClassVar[Severity] = Severity.WARNING
    first: Any
    second: Any
    user: Any = ""


@dataclass(frozen=True, slots=True)
class Posing(Event):
    """An event with a field that is named as a part of the envelope."""

    name: ClassVar[str] = "POSING"
    v: Any


TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(["", "\x00", "\x7f", "\u2028", "\ud800", '"\\/', "zoë"])
FLOATS = st.floats() | st.sampled_from([0.0, -0.0, 1e16, 1e-5, 0.0001, 123456789.125, 1e308, 5e-324, 1e21])
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**65), 2**65)
    | FLOATS
    | TEXTS
    | st.sampled_from([DisconnectReason.ADMIN, Severity.DEBUG])
)
NESTED = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple), max_leaves=8
)
ANYTHING = NESTED | st.binary(max_size=4) | st.dictionaries(TEXTS, PLAIN, max_size=2) | st.just(Secret(b"hunter2"))
KEYS = st.sampled_from(["session", "user", "first", "second", "ts", "event", "v", "client_ip", "result_code"]) | TEXTS


def reference(event: Event, context: Any) -> bytes:
    return encode(build_record(event, context, STAMP))


@settings(deadline=None, max_examples=1500)
@given(first=ANYTHING, second=ANYTHING, user=PLAIN, context=st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_any_fact(first: Any, second: Any, user: Any, context: dict[str, Any]) -> None:
    for key in {"ts", "event"} & set(context):
        context[key] = "what a fault is told of"
    event = Odd(first, second, user)
    octets = event_text(event, context, STAMP)
    assert octets == reference(event, context)
    assert b"hunter2" not in octets


@pytest.mark.parametrize("point", range(0, 0x110000, 0x1000))
def test_every_character(point: int) -> None:
    text = "".join(map(chr, range(point, point + 0x1000)))
    usable = text.encode("utf-8", "ignore").decode()
    assert event_text(Odd(usable, ""), {"user": usable}, STAMP) == reference(Odd(usable, ""), {"user": usable})


def test_what_usually_comes_is_written_by_the_core_and_the_rest_is_not() -> None:
    ended = SessionEnded(DisconnectReason.ADMIN, "told", "alice", 1, 2, 3, 4, 5.5)
    context = {"session": "s", "connection": "c", "client_ip": "203.0.113.7", "user": "", "result_code": 0}
    shape = _native.EventShape(b',"event":"TEARDOWN","severity":"info","v":1', ("reason", "user"))
    written = shape.text(STAMP, ended, context)
    assert written is not None
    assert list(json.loads(written))[-2:] == ["reason", "user"]
    for unusual in ({"a": 2**70}, {"a": b"x"}, {"a": {}}, {"a": "\ud800"}, {"ts": "x"}, {"a": [[[[[1]]]]]}, [("a", 1)]):
        assert shape.text(STAMP, ended, unusual) is None  # type: ignore[arg-type]


def test_one_class_with_two_levels() -> None:
    for reason in DisconnectReason:
        ended = SessionEnded(reason, "told", "alice", 1, 2, 3, 4, 5.5)
        assert event_text(ended, {}, STAMP) == reference(ended, {})


def test_fields_named_as_the_envelope_go_the_readable_way() -> None:
    with pytest.raises(ValueError, match="not written here"):
        _native.EventShape(b"", ("v",))
    assert event_text(Posing(7), {"v": 8}, STAMP) == reference(Posing(7), {"v": 8})


def test_a_missing_field_is_an_error_not_a_line() -> None:
    with pytest.raises(AttributeError):
        _native.EventShape(b"", ("nonsense",)).text(STAMP, AuthenticationFailed("pap", "a", 1, "b"), {})


@settings(deadline=None, max_examples=200)
@given(
    texts=st.lists(st.binary(max_size=200), max_size=12),
    seq=st.integers(0, 2**63) | st.sampled_from([0, 8, 9, 98, 99, 999_998]),
    previous=st.binary(min_size=32, max_size=32),
)
def test_chain(texts: list[bytes], seq: int, previous: bytes) -> None:
    expected, chain = [], previous
    for number, text in enumerate(texts, seq + 1):
        line, chain = compose(text, number, chain)
        expected.append(line)
    assert _native.chain_lines(texts, seq, previous) == (b"".join(expected), chain)


def test_the_numbers_of_lines_run_out_with_an_error() -> None:
    with pytest.raises(OverflowError):
        _native.chain_lines([b"{}"], 2**64 - 1, bytes(32))
    with pytest.raises(ValueError, match="32"):
        _native.chain_lines([b"{}"], 0, bytes(31))
