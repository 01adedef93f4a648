"""An event as a record."""

from datetime import UTC, datetime

from holdfast.events import IpOpened
from holdfast.observe.record import make_record


def test_the_facts_own_fields_win_over_the_context_and_empty_context_is_left_out():
    context = {"session": "s", "user": "", "local_address": "wrong", "client_ip": None}
    record = make_record(IpOpened("10.0.0.1", "10.0.0.2", ("10.0.0.53",)), context, datetime(2026, 1, 2, tzinfo=UTC))
    assert list(record)[:3] == ["ts", "event", "severity"]
    assert record["local_address"] == "10.0.0.1"
    assert record["dns"] == ("10.0.0.53",)
    assert "user" not in record
    assert "client_ip" not in record
