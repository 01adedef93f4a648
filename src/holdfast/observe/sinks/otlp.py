"""OpenTelemetry logs (OTLP/HTTP, JSON encoding): one log record a line."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from holdfast import __version__
from holdfast.observe.sinks.http import Dialect
from holdfast.observe.sinks.lines import record_of, text_of
from holdfast.observe.sinks.runner import RefusedError

SEVERITY = {"debug": 5, "info": 9, "notice": 10, "warning": 13, "error": 17}
"""Severity numbers of the OpenTelemetry log data model; notice is its INFO2."""


def otlp() -> Dialect:
    """Return what a collector takes at `/v1/logs`."""
    return Dialect("/v1/logs", "application/json", _body, "Bearer", _judge)


def _body(lines: Sequence[bytes]) -> bytes:
    scope = {"scope": {"name": "holdfast", "version": __version__}, "logRecords": [_record(line) for line in lines]}
    resource = {"attributes": [_attribute("service.name", "holdfast")]}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}).encode()


def _record(line: bytes) -> dict[str, Any]:
    record = record_of(line)
    nanoseconds = round(datetime.fromisoformat(record["ts"]).timestamp() * 1000) * 1_000_000
    return {
        "timeUnixNano": str(nanoseconds),
        "severityNumber": SEVERITY.get(record["severity"], 9),
        "severityText": record["severity"],
        "eventName": record["event"],
        "body": {"stringValue": text_of(record)},
        "attributes": [_attribute(key, value) for key, value in record.items() if value is not None],
    }


def _attribute(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": _value(value)}


def _value(value: Any) -> dict[str, Any]:
    """Write a value as the JSON encoding of protobuf wants it: 64-bit integers are texts."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}


def _judge(body: bytes, _count: int) -> None:
    """A collector may take the request and refuse records of it."""
    try:
        partial = json.loads(body or b"{}").get("partialSuccess") or {}
        rejected = int(partial.get("rejectedLogRecords", 0))
    except (ValueError, AttributeError, TypeError):
        return
    if rejected:
        raise RefusedError("it refused log records", rejected)
