"""How often each fact was reported: the counter that every registry of metrics begins with."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from holdfast.events import Event, Severity

_without_created_series: Callable[[], None] = disable_created_metrics
"""A series a counter that says when it began: of no use here, and half of a page."""


class EventCount(Collector):
    """Counts facts by their word and severity, each from zero. `observe` is an observer of an event log.

    Nearly all facts come from the thread that made this; those of others (the log's own facts) are counted apart, so
    that none gets lost between two threads.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        _without_created_series()
        self._always: dict[type[Event], int] = {}
        """Facts that have one level only: most."""
        self._levels: dict[type[Event], Severity] = {}
        self._by_level: dict[tuple[type[Event], Severity], int] = {}
        for kind in _kinds(Event):
            self._begin(kind)
        self._owner, self._lock = threading.get_ident(), threading.Lock()
        self._elsewhere: Counter[tuple[type[Event], Severity]] = Counter()
        registry.register(self)

    def _begin(self, kind: type[Event]) -> None:
        levels = kind.severities()
        if len(levels) == 1:
            self._always[kind], self._levels[kind] = 0, levels[0]
        else:
            self._by_level |= dict.fromkeys(((kind, level) for level in levels), 0)

    def observe(self, event: Event, _context: Mapping[str, Any]) -> None:
        """Count a fact."""
        kind = type(event)
        if threading.get_ident() != self._owner:
            with self._lock:
                self._elsewhere[kind, event.level()] += 1
        elif kind in self._always:
            self._always[kind] += 1
        else:
            key = kind, event.level()
            self._by_level[key] = self._by_level.get(key, 0) + 1

    def describe(self) -> list[CounterMetricFamily]:
        """Return no description: there is nothing to find out before facts are counted."""
        return []

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the one family."""
        with self._lock:
            counts = self._elsewhere.copy()
        counts.update({(kind, self._levels[kind]): number for kind, number in self._always.copy().items()})
        counts.update(self._by_level.copy())
        by_word: Counter[tuple[str, str]] = Counter()  # a class may be there twice: as it was before it got its slots
        for (kind, severity), number in counts.items():
            by_word[kind.name, str(severity)] += number
        family = CounterMetricFamily("holdfast_events", "Facts by the word in the log.", labels=("event", "severity"))
        for labels, number in by_word.items():
            family.add_metric(labels, number)
        yield family


def _kinds(base: type[Event]) -> Iterator[type[Event]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)
