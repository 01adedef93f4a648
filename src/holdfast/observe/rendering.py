"""Facts as lines without a detour: what the Rust core does of `record` and `chain`, in a quarter of the time.

Those two are the readable reference, and a differential test compares them with this octet for octet. A fact that holds
anything unusual (half a surrogate pair, a number beyond 64 bits, what has no JSON form) goes the readable way.
"""

from collections.abc import Mapping
from typing import Any

from holdfast import _native
from holdfast.events import Event, Severity
from holdfast.observe.record import SCHEMA_VERSION, build_record, encode, field_names

chain_lines = _native.chain_lines


_Shapes = tuple[tuple[Severity, _native.EventShape | None], ...]
_SHAPES: dict[type[Event], _Shapes] = {}
"""Every class with its levels: a tuple, since the hash of an Enum takes longer than a look at each."""


def event_text(event: Event, context: Mapping[str, Any], stamp: str) -> bytes:
    """Return `encode(build_record(event, context, stamp))`: what is logged, without number and chain."""
    severity = event.level()
    for level, shape in _SHAPES.get(type(event), ()):
        if level is severity:
            text = shape.text(stamp, event, context) if shape is not None else None
            return encode(build_record(event, context, stamp)) if text is None else text
    _prepare(type(event), severity)
    return event_text(event, context, stamp)


def _prepare(kind: type[Event], severity: Severity) -> None:
    """Remember what all lines of a class and level have in common; None where fields have names of the envelope."""
    head = encode({"event": kind.name, "severity": severity.value, "v": SCHEMA_VERSION})
    try:
        shape = _native.EventShape(b"," + head[1:-1], field_names(kind))
    except ValueError:
        shape = None
    _SHAPES[kind] = (*_SHAPES.get(kind, ()), (severity, shape))
