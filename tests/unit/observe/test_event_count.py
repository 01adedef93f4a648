"""The count of facts."""

import threading
from dataclasses import dataclass
from typing import ClassVar

from prometheus_client import CollectorRegistry

from holdfast.errors import DisconnectReason
from holdfast.events import Event, PeerIdentified, SessionEnded
from holdfast.observe.event_count import EventCount


def counted(registry: CollectorRegistry, event: str, severity: str) -> float | None:
    return registry.get_sample_value("holdfast_events_total", {"event": event, "severity": severity})


def ended(reason: DisconnectReason) -> SessionEnded:
    return SessionEnded(reason, "told", "alice", 1, 2, 3, 4, 5.0)


def test_every_word_begins_at_zero_with_each_of_its_levels() -> None:
    registry = CollectorRegistry()
    EventCount(registry)
    assert [counted(registry, "TEARDOWN", level) for level in ("info", "warning", "error")] == [0, 0, 0]
    assert counted(registry, "TEARDOWN", "notice") is None


def test_facts_are_counted_by_word_and_level() -> None:
    registry = CollectorRegistry()
    count = EventCount(registry)
    for event in (ended(DisconnectReason.ADMIN), ended(DisconnectReason.ECHO_TIMEOUT), PeerIdentified("x")):
        count.observe(event, {})
        count.observe(event, {})
    assert [counted(registry, "TEARDOWN", level) for level in ("info", "warning", "error")] == [2, 2, 0]
    assert counted(registry, PeerIdentified.name, "info") == 2


def test_a_class_that_came_later_is_counted_too() -> None:
    registry = CollectorRegistry()
    count = EventCount(registry)

    @dataclass(frozen=True, slots=True)
    class Late(Event):
        name: ClassVar[str] = "LATE"

    count.observe(Late(), {})
    assert counted(registry, "LATE", "info") == 1


def test_none_is_lost_between_two_threads() -> None:
    """The log tells facts about itself in a thread of its own."""
    registry = CollectorRegistry()
    count = EventCount(registry)
    other = threading.Thread(target=lambda: [count.observe(PeerIdentified("x"), {}) for _ in range(20_000)])
    other.start()
    for _ in range(20_000):
        count.observe(PeerIdentified("y"), {})
    other.join()
    assert counted(registry, PeerIdentified.name, "info") == 40_000
