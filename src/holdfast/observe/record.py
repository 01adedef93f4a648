"""An event as a log record: one flat object with the envelope in front."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from holdfast.events import Event

SCHEMA_VERSION = 1


def make_record(event: Event, context: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return the record of `event`: time (ISO 8601 with zone), event, severity, context, then the event's fields.

    The event's own fields win over the context's: a fact knows best.
    """
    return {
        "ts": at.astimezone().isoformat(timespec="milliseconds"),
        "event": event.name,
        "severity": str(event.severity),
        **{key: value for key, value in context.items() if value not in (None, "")},
        **event.fields(),
    }
