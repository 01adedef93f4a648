"""The schema of the event log, made from the events themselves, so that it cannot drift from what is written."""

import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from typing import Any

from holdfast.events import (
    Event,
    Severity,
    control,
    dialling,
    firewall,
    link,
    log,
    packets,
    probes,
    radius,
    sessions,
    watching,
)
from holdfast.observe.record import SCHEMA_VERSION
from holdfast.observe.schema_words import ENVELOPE_WORDS, FIELD_WORDS, SPECIAL_WORDS

REQUIRED = ("ts", "event", "severity", "v", "seq", "chain")
SUBJECTS = (control, link, packets, sessions, radius, dialling, firewall, probes, watching, log)
"""The subjects of `holdfast.events` in the order in which the page of the log's fields shows them."""


def event_types() -> list[type[Event]]:
    """Return every event, in the order in which they are written down."""
    found = (value for subject in SUBJECTS for value in vars(subject).values() if inspect.isclass(value))
    return [kind for kind in found if issubclass(kind, Event) and kind is not Event]


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of one line."""
    kinds = event_types()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:holdfast:event-log:{SCHEMA_VERSION}",
        "title": f"A line of Holdfast's event log, version {SCHEMA_VERSION}",
        "description": "New fields and events may come within a version: ignore those that you do not know.",
        "oneOf": [{"$ref": "#/$defs/stub"}, *({"$ref": f"#/$defs/{kind.name}"} for kind in kinds)],
        "$defs": {"envelope": _envelope(), "stub": _stub(), **{kind.name: _event(kind) for kind in kinds}},
    }


def field_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield (event, field, type, meaning) for every field of every event, and the envelope's with an empty event."""
    for name, (kind, words) in ENVELOPE_WORDS.items():
        yield "", name, kind, words
    for event in event_types():
        hints = typing.get_type_hints(event)
        for field in fields(event):
            yield event.name, field.name, _type_word(_json_type(hints[field.name])), meaning(event, field.name)


def meaning(event: type[Event], field: str) -> str:
    """Return what a field of an event means; its bare name when nobody wrote it down."""
    special = SPECIAL_WORDS.get((event.name, field))
    if special is not None:
        return special
    return ENVELOPE_WORDS[field][1] if field in ENVELOPE_WORDS else FIELD_WORDS.get(field, field)


def summary(event: type[Event]) -> str:
    """Return what an event means: the first paragraph of its docstring."""
    return inspect.cleandoc(event.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def _envelope() -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {"type": kind, "description": words} for name, (kind, words) in ENVELOPE_WORDS.items()
    }
    properties["ts"]["format"] = "date-time"
    properties["severity"]["enum"] = [severity.value for severity in Severity]
    properties["v"]["const"] = SCHEMA_VERSION
    properties["chain"]["pattern"] = "^[0-9a-f]{64}$"
    return {"type": "object", "required": list(REQUIRED), "properties": properties}


def _stub() -> dict[str, Any]:
    text = "Stands for a line that was taken out; the chain goes through its digest."
    return {
        "type": "object",
        "description": text,
        "required": ["stub", "digest", "seq", "chain"],
        "additionalProperties": False,
        "properties": {
            "stub": {"enum": ["purged", "forgotten", "withheld"]},
            "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "seq": {"type": "integer"},
            "chain": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
    }


def _event(kind: type[Event]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    own = {
        field.name: {**_json_type(hints[field.name]), "description": meaning(kind, field.name)}
        for field in fields(kind)
    }
    return {
        "description": summary(kind),
        "allOf": [{"$ref": "#/$defs/envelope"}],
        "required": list(own),
        "properties": {
            "event": {"const": kind.name},
            "severity": {"enum": [each.value for each in kind.severities()]},
            **own,
        },
    }


_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def _json_type(hint: Any) -> dict[str, Any]:
    """Return the JSON schema of a field's type. TypeError for one that has no plain form: it cannot be logged."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": _json_type(arguments[0])}
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_json_type(argument) for argument in arguments]}
    raise TypeError(f"{hint} is not plain")


def _type_word(kind: dict[str, Any]) -> str:
    if "anyOf" in kind:
        return " or ".join(_type_word(one) for one in kind["anyOf"])
    return f"list of {_type_word(kind['items'])}s" if kind["type"] == "array" else str(kind["type"])
