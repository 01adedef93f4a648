"""Counting in plain dictionaries, shown in Prometheus' words: the same page as prometheus-client's own would be."""

import threading

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest

from holdfast.observe.tally import TallyCollector

BOUNDS = (0.01, 1, 10, 604800)


@pytest.fixture(autouse=True)
def _quiet():
    disable_created_metrics()


def test_a_page_is_what_the_usual_classes_would_write():
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    shown = TallyCollector(ours)
    count, level = shown.count("c", "Counts.", "a", "b"), shown.level("g", "Goes.")
    single, spread = shown.count("s", "Single."), shown.spreads("h", "How long.", BOUNDS, "phase")
    alone = shown.spreads("i", "Alone.", BOUNDS)
    their_count, their_level = (
        Counter("c", "Counts.", ("a", "b"), registry=theirs),
        Gauge("g", "Goes.", registry=theirs),
    )
    their_single = Counter("s", "Single.", registry=theirs)
    their_spread = Histogram("h", "How long.", ("phase",), buckets=BOUNDS, registry=theirs)
    their_alone = Histogram("i", "Alone.", buckets=BOUNDS, registry=theirs)
    assert generate_latest(ours) == generate_latest(theirs)
    count.begin("x", "y")
    their_count.labels("x", "y")
    count.add("x", '"\n\\')
    their_count.labels("x", '"\n\\').inc()
    count.add("x", "y", by=4)
    their_count.labels("x", "y").inc(4)
    level.set(7)
    their_level.set(7)
    single.add()
    their_single.inc()
    for value in (0.0, 0.01, 0.5, 20.0, 1e9):
        spread.observe(value, "lcp")
        their_spread.labels("lcp").observe(value)
        alone.observe(value)
        their_alone.observe(value)
    assert generate_latest(ours) == generate_latest(theirs)


def test_a_page_is_read_while_something_is_counted():
    registry = CollectorRegistry()
    shown = TallyCollector(registry)
    count, spread = shown.count("c", "Counts.", "a"), shown.spreads("h", "How long.", (1,), "a")
    pages, over = [], threading.Event()

    def read() -> None:
        while not over.is_set():
            pages.append(generate_latest(registry))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(3000):
        count.add(str(number))
        spread.observe(0.5, str(number % 300))
    over.set()
    reader.join()
    assert pages
    assert generate_latest(registry).count(b"c_total{") == 3000
