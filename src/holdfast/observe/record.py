"""An event as a log record: one flat object with the envelope in front, and its text as JSON."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from holdfast.events import Event, InternalFault

SCHEMA_VERSION = 1
"""Raised when a field is renamed, removed or changes its meaning; new fields and events do not raise it."""


def make_record(event: Event, context: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return the record of `event`: time (ISO 8601 with zone), event, severity, version, context, the event's fields.

    The event's own fields win over the context's: a fact knows best.
    """
    return build_record(event, context, at.astimezone().isoformat(timespec="milliseconds"))


def build_record(event: Event, context: Mapping[str, Any], stamp: str) -> dict[str, Any]:
    """Do the same with a time that is text already."""
    record: dict[str, Any] = {"ts": stamp, "event": event.name, "severity": event.level().value, "v": SCHEMA_VERSION}
    record.update({key: value for key, value in context.items() if value is not None and value != ""})
    record.update({name: getattr(event, name) for name in field_names(type(event))})
    return record


def field_names(kind: type[Event]) -> tuple[str, ...]:
    """Return the names of an event's fields. Looked up once a class: `asdict` would cost more than all the rest."""
    names = _FIELD_NAMES.get(kind)
    if names is None:
        names = _FIELD_NAMES[kind] = tuple(field.name for field in fields(kind))
    return names


_FIELD_NAMES: dict[type[Event], tuple[str, ...]] = {}


def encode(record: dict[str, Any]) -> bytes:
    """Return the record as JSON text on one line, in UTF-8, never failing.

    A text that is not Unicode (half a surrogate pair) is written with escapes. A value that has no JSON form, which
    is a fault of ours (or a `Secret`, which must not be written), gives way to a record that says so.
    """
    try:
        return to_json(record, inf_nan_mode="null")
    except PydanticSerializationError:
        pass
    try:
        return json.dumps(record, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        fault = InternalFault("event log", f"{record['event']} holds a value that cannot be written")
        return to_json(build_record(fault, {}, record["ts"]))


class TimeWriter:
    """Writes seconds since 1970 as ISO 8601 with milliseconds and zone.

    It remembers the last second and millisecond, because in a burst thousands of records share them. Any thread may
    use it.
    """

    def __init__(self) -> None:
        self._second = (-1, "", "")
        self._last = (0.0, 0.0, "")

    def __call__(self, seconds: float) -> str:
        """Return the text."""
        begin, end, text = self._last
        if begin <= seconds < end:
            return text
        whole = int(seconds)
        thousandths = int((seconds - whole) * 1000)
        second, head, zone = self._second
        if whole != second:
            written = datetime.fromtimestamp(whole).astimezone().isoformat()
            head, zone = written[:19], written[19:]
            self._second = (whole, head, zone)  # in one piece, so that no other thread sees half of it
        text = f"{head}.{thousandths:03d}{zone}"
        self._last = (whole + thousandths / 1000, whole + (thousandths + 1) / 1000, text)
        return text
