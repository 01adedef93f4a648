"""Which facts are kept how long."""

from datetime import UTC, datetime

import pytest

from holdfast.observe.chain import GENESIS, Link, compose, parse
from holdfast.observe.retention import ADMIN, SECURITY, EventClass, Retention, class_of, event_of
from holdfast.observe.schema import event_types

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def line(event: str, stamp: str, severity: str = "info") -> Link:
    raw, _ = compose(f'{{"ts":"{stamp}","event":"{event}","severity":"{severity}","v":1}}'.encode(), 1, GENESIS)
    found = parse(raw)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("event", "severity", "kind"),
    [
        ("TEARDOWN", "info", EventClass.SESSIONS),
        ("AUTH_FAIL", "warning", EventClass.SECURITY),
        ("RADIUS_REFUSED", "error", EventClass.SECURITY),
        ("ADMIN", "notice", EventClass.ADMIN),
        ("CONFIG_REFUSED", "error", EventClass.ADMIN),
        ("DRAIN", "notice", EventClass.ADMIN),
        ("RADIUS_REQUEST", "notice", EventClass.ADMIN),
        ("PPP_PACKET", "debug", EventClass.PACKETS),
        ("LOG_PURGED", "notice", EventClass.LOG),
        ("NEW_ONE", "info", EventClass.SESSIONS),
    ],
)
def test_classes(event: str, severity: str, kind: EventClass) -> None:
    assert class_of(event, severity) is kind


@pytest.mark.parametrize(
    ("event", "stamp", "expired"),
    [
        ("TEARDOWN", "2026-05-01T00:00:00.000+00:00", True),
        ("TEARDOWN", "2026-05-03T00:00:00.000+00:00", False),
        ("TEARDOWN", "2026-05-02T01:00:00.000+02:00", True),
        ("ADMIN", "1999-01-01T00:00:00.000+00:00", False),
        ("LOG_SIGNED", "1999-01-01T00:00:00.000+00:00", False),
        ("TEARDOWN", "whenever", False),
        ("TEARDOWN", "1999-01-01", False),
    ],
)
def test_age(event: str, stamp: str, expired: bool) -> None:
    assert Retention(sessions=30, security=1, admin=0, packets=1).expired(line(event, stamp), NOW) is expired


def test_the_name_of_an_event() -> None:
    assert event_of(line("TEARDOWN", "2026-05-01T00:00:00.000+00:00")) == "TEARDOWN"


def test_the_tables_name_events_that_exist() -> None:
    assert {kind.name for kind in event_types()} >= SECURITY | ADMIN
