"""Readings: threads, and families that are there from the first scrape."""

import os
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry

from holdfast.observe.metrics_reading import Reading, ReadingCollector, worker_seconds


def task(folder, number: int, name: str, user: int, system: int) -> None:
    (folder / str(number)).mkdir()
    (folder / str(number) / "comm").write_text(f"{name}\n")
    fields = ["S", *["0"] * 10, str(user), str(system), "0"]
    (folder / str(number) / "stat").write_text(f"{number} (a) b) {' '.join(fields)}")


def test_threads_are_told_apart(tmp_path):
    ticks = os.sysconf("SC_CLK_TCK")
    task(tmp_path, os.getpid(), "holdfast", ticks, ticks)
    task(tmp_path, 1, "holdfast-rx", 3 * ticks, 0)
    task(tmp_path, 2, "python", ticks, 0)
    task(tmp_path, 3, "python", ticks, 0)
    (tmp_path / "4").mkdir()
    assert worker_seconds(tmp_path) == {"main": 2.0, "other": 2.0, "rx": 3.0}


def test_this_process_has_threads():
    assert threading.active_count() >= 1
    assert worker_seconds()["main"] > 0
    assert worker_seconds(Path("/nonexistent")) == {"main": 0.0, "other": 0.0}


def test_registering_reads_nothing():
    readings = []

    def read() -> Reading:
        readings.append(1)
        return Reading(draining=True)

    registry = CollectorRegistry()
    collector = ReadingCollector(registry, read, "1")
    assert not readings
    assert registry.get_sample_value("holdfast_draining") == 0
    collector.take()
    assert registry.get_sample_value("holdfast_draining") == 1
    assert registry.get_sample_value("holdfast_build_info", {"version": "1"}) == 1
    assert len(readings) == 1
