"""Counting that costs next to nothing: numbers in plain dictionaries, put into Prometheus' words at a scrape.

A counter of prometheus-client takes a lock and looks its labels up each time, which is several microseconds; tens of
thousands of facts a second are counted here. One thread counts (the loop's); any thread may read.
"""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from holdfast.observe.distribution import Distribution

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class Tally(Protocol):
    """Something that counts."""

    def family(self) -> Family:
        """Return everything so far."""


class Count:
    """A counter by the values of its labels; without labels there is one, which begins at zero."""

    kind: type[CounterMetricFamily] | type[GaugeMetricFamily] = CounterMetricFamily

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0}

    def begin(self, *values: str) -> None:
        """Show a series before there is anything to count."""
        self._values.setdefault(values, 0)

    def add(self, *values: str, by: float = 1) -> None:
        """Count."""
        known = self._values
        known[values] = known.get(values, 0) + by

    def set(self, value: float, *values: str) -> None:
        """Let it be so much now."""
        self._values[values] = value

    def family(self) -> Family:
        """Return everything so far."""
        family = self.kind(self._name, self._text, labels=self._labels)
        for values, number in self._values.copy().items():
            family.add_metric(values, number)
        return family


class Level(Count):
    """A number that goes up and down."""

    kind = GaugeMetricFamily


class Spreads:
    """Distributions by the value of one label, or a single one that is there from the beginning."""

    def __init__(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> None:
        self._name, self._text, self._bounds, self._labels = name, text, tuple(map(float, bounds)), labels
        self._spreads: dict[tuple[str, ...], Distribution] = {} if labels else {(): Distribution(self._bounds)}

    def observe(self, value: float, *values: str) -> None:
        """Count a value."""
        spread = self._spreads.get(values)
        if spread is None:
            spread = self._spreads[values] = Distribution(self._bounds)
        spread.observe(value)

    def family(self) -> Family:
        """Return everything so far."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for values, spread in self._spreads.copy().items():
            read = spread.read()
            family.add_metric(values, read.buckets, read.total)
        return family


class TallyCollector(Collector):
    """Shows tallies to a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tallies: list[Tally] = []
        registry.register(self)

    def count(self, name: str, text: str, *labels: str) -> Count:
        """Return a new counter that is shown."""
        count = Count(name, text, *labels)
        self._tallies.append(count)
        return count

    def level(self, name: str, text: str, *labels: str) -> Level:
        """Return a new level that is shown."""
        level = Level(name, text, *labels)
        self._tallies.append(level)
        return level

    def spreads(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Spreads:
        """Return new distributions that are shown."""
        spreads = Spreads(name, text, bounds, *labels)
        self._tallies.append(spreads)
        return spreads

    def describe(self) -> list[Family]:
        """Return no description: families are known when they are collected."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield a family for each tally."""
        for tally in self._tallies:
            yield tally.family()
