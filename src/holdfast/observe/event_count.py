"""How often each fact was reported: the counter that every registry of metrics begins with."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics

from holdfast.events import Event, Severity

_without_created_series: Callable[[], None] = disable_created_metrics
"""A series a counter that says when it began: of no use here, and half of a page."""


class EventCount:
    """Counts facts by their word and severity, each from zero. `observe` is an observer of an event log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        _without_created_series()
        counter = Counter("holdfast_events", "Facts by the word in the log.", ("event", "severity"), registry=registry)
        self._counter = counter
        self._series: dict[type[Event], tuple[tuple[Severity, Counter], ...]] = {}
        for kind in _kinds(Event):
            self._series[kind] = tuple((level, counter.labels(kind.name, str(level))) for level in kind.severities())

    def observe(self, event: Event, _context: Mapping[str, Any]) -> None:
        """Count a fact. The series is looked up by class and level: to look it up by its labels takes far longer."""
        severity = event.level()
        for level, series in self._series.get(type(event), ()):
            if level is severity:
                series.inc()
                return
        self._counter.labels(event.name, str(severity)).inc()


def _kinds(base: type[Event]) -> Iterator[type[Event]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)
