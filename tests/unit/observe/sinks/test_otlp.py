"""OpenTelemetry logs."""

import json

import pytest

from holdfast.observe.sinks.runner import RefusedError
from unit.observe.sinks.receivers import LINES, SECONDS, web


def test_records_are_what_a_collector_takes(sink) -> None:
    with web() as receiver:
        sink(f"otlp+http://127.0.0.1:{receiver.port}").send(LINES)
        path, headers, body = receiver.requests[0]
    assert (path, headers["Content-Type"]) == ("/v1/logs", "application/json")
    (resource,) = json.loads(body)["resourceLogs"]
    assert resource["resource"]["attributes"][0]["value"] == {"stringValue": "holdfast"}
    first, second = resource["scopeLogs"][0]["logRecords"]
    assert first["timeUnixNano"] == str(int(SECONDS) * 10**9)
    assert second["timeUnixNano"] == str(int(SECONDS) * 10**9 + 1_500_000_000)
    assert (first["severityNumber"], first["severityText"]) == (13, "warning")
    values = {one["key"]: one["value"] for one in (*first["attributes"], *second["attributes"])}
    assert values["result_code"] == {"intValue": "691"}
    assert values["by_peer"] == {"boolValue": True}
    assert values["duration"] == {"doubleValue": 1.5}
    assert values["dns"]["arrayValue"]["values"] == [{"stringValue": "10.0.0.1"}, {"stringValue": "10.0.0.2"}]


def test_records_that_are_refused_are_counted(sink) -> None:
    with web() as receiver:
        receiver.answers = [(200, {"partialSuccess": {"rejectedLogRecords": "1"}}), (200, {"partialSuccess": None})]
        sender = sink(f"otlp+http://127.0.0.1:{receiver.port}")
        with pytest.raises(RefusedError) as caught:
            sender.send(LINES)
        assert caught.value.count == 1
        sender.send(LINES)
