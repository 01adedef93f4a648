"""Metrics of the probes, from what `holdfast dial status --json` says of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from holdfast.observe.metrics_reading import Family

PROBE = ("tunnel", "probe", "kind")
WAYS = (
    ("holdfast_probe_round_trip_seconds", "Mean round trip of the last series of echoes.", "mean"),
    ("holdfast_probe_jitter_seconds", "Mean difference between one round trip and the next.", "jitter"),
    ("holdfast_probe_loss_ratio", "Fraction of the last series of echoes that was not answered.", "loss"),
)
"""Name, text and field of each family with one series a probe and way."""


def probe_families(statuses: Mapping[str, Mapping[str, Any]]) -> Iterator[Family]:
    """Yield the families of all probes; `statuses` are those of the tunnels, by name."""
    probes = [(_labels(name, probe), probe) for name, status in statuses.items() for probe in status.get("probes", ())]
    if not probes:
        return
    failed = GaugeMetricFamily("holdfast_probe_failed", "1 while the probe counts as failed.", labels=PROBE)
    seconds = GaugeMetricFamily("holdfast_probe_seconds", "Time the last run took.", labels=PROBE)
    runs = CounterMetricFamily("holdfast_probe_runs", "Runs, by how they turned out.", labels=(*PROBE, "result"))
    for known, probe in probes:
        failed.add_metric(known, float(probe["failed"]))
        for result, count in probe["runs"].items():
            runs.add_metric([*known, result], count)
        if probe["last"] is not None:
            seconds.add_metric(known, probe["last"]["seconds"])
    yield from (failed, seconds, runs)
    for family, text, field in WAYS:
        yield _by_way(GaugeMetricFamily(family, text, labels=(*PROBE, "way")), field, probes)


def _labels(tunnel: str, probe: Mapping[str, Any]) -> list[str]:
    """Return the values of the labels that every series of a probe has."""
    return [tunnel, probe["name"], probe["kind"]]


def _by_way(
    gauge: GaugeMetricFamily, field: str, probes: list[tuple[list[str], Mapping[str, Any]]]
) -> GaugeMetricFamily:
    for known, probe in probes:
        for way in (probe["last"] or {}).get("ways", ()):
            if way[field] is not None:
                gauge.add_metric([*known, way["way"]], way[field])
    return gauge
