"""Metrics of probes."""

from typing import Any

from holdfast.dialer.metrics_probes import probe_families
from holdfast.probe.cadence import Cadence
from holdfast.probe.outcome import EchoSeries, Outcome, Stage, Way
from holdfast.probe.settings import Lookup, Ping, Probe

FAR = Cadence(Probe("far", Ping("10.0.0.1"), failures=1), bytes)
NAMES = Cadence(Probe("names", Lookup("intranet.example")), bytes)
WAYS = (EchoSeries(Way.TUNNEL, "10.0.0.1", 4, (0.02, 0.03)), EchoSeries(Way.DIRECT, "192.0.2.1", 4))


def read(statuses: dict[str, Any]) -> dict[tuple[str, ...], float]:
    samples = [sample for family in probe_families(statuses) for sample in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in samples}


def test_without_probes_there_is_nothing() -> None:
    assert read({"office": {"probes": []}, "old": {}}) == {}


def test_every_result_begins_at_zero() -> None:
    seen = read({"office": {"probes": [NAMES.status(0.0)]}})
    assert seen["holdfast_probe_failed", "office", "names", "dns"] == 0
    assert seen["holdfast_probe_runs_total", "office", "names", "dns", "timeout"] == 0
    assert ("holdfast_probe_seconds", "office", "names", "dns") not in seen


def test_what_the_last_run_told() -> None:
    FAR.noted(Outcome("half is lost", 1.5, Stage.LOSS, ways=WAYS), 10.0)
    seen = read({"office": {"probes": [FAR.status(10.0)]}})
    labels = ("office", "far", "ping")
    assert seen["holdfast_probe_failed", *labels] == 1
    assert seen["holdfast_probe_runs_total", *labels, "loss"] == 1
    assert seen["holdfast_probe_seconds", *labels] == 1.5
    assert seen["holdfast_probe_round_trip_seconds", *labels, "tunnel"] == 0.025
    assert seen["holdfast_probe_loss_ratio", *labels, "tunnel"] == 0.5
    assert seen["holdfast_probe_loss_ratio", *labels, "direct"] == 1
    assert ("holdfast_probe_round_trip_seconds", *labels, "direct") not in seen
