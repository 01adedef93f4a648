"""Segment sizes compared, and what iperf3 says."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError
from holdfast.probe import throughput
from holdfast.probe.place import Place
from holdfast.probe.throughput import Flow, Trial, UnmeasurableError, Verdict, judge, measure, read

END = {"sum_sent": {"bits_per_second": 9e6, "retransmits": 3}, "sum_received": {"bits_per_second": 8e6}}
REPORT = json.dumps({"start": {}, "end": END})
STALLED = Flow(complaint="it stalled")


def trial(mss: int, up: float, down: float) -> Trial:
    return Trial(mss, Flow(up), Flow(down))


@pytest.mark.parametrize(
    ("trials", "verdict"),
    [
        ([], Verdict((), None, None)),
        ([trial(1360, 90e6, 90e6), trial(1200, 80e6, 95e6)], Verdict((1360, 1200), 1360, 1360)),
        ([trial(1200, 99e6, 90e6), trial(1360, 90e6, 80e6)], Verdict((1360, 1200), 1360, 1200)),
        ([trial(1400, 90e6, 1e6), trial(1360, 80e6, 80e6)], Verdict((1360,), 1360, 1360)),
        ([Trial(1400, Flow(9e7), STALLED), trial(1000, 5e6, 5e6)], Verdict((), None, None)),
        ([Trial(1400, STALLED, STALLED), trial(1000, 5e6, 5e6)], Verdict((1000,), 1000, 1000)),
        ([trial(536, 0, 0)], Verdict((), None, None)),
    ],
)
def test_trials_are_compared(trials: Sequence[Trial], verdict: Verdict) -> None:
    assert judge(trials) == verdict


def test_a_report_is_read() -> None:
    assert read(REPORT.encode(), "x") == Flow(8e6, 3)
    assert trial(1360, 1, 2).plain()["mtu"] == 1400


@pytest.mark.parametrize("output", [b"", b"{", b"[]", b'{"end": {}}', b'{"end": null}', b"iperf3: something\n"])
def test_what_is_no_report_is_a_complaint(output: bytes) -> None:
    assert read(output, "x").complaint


def test_what_no_other_size_mends_is_said_at_once() -> None:
    with pytest.raises(UnmeasurableError, match=r"10\.0\.0\.1 port 5201: iperf3 says.*refused"):
        read(b'{"error": "unable to connect to server: Connection refused"}', "10.0.0.1 port 5201")
    with pytest.raises(UnmeasurableError, match="too old"):
        read(b"iperf3: unrecognized option '--bind-dev'", "x")
    assert read(b'{"error": "control socket has closed unexpectedly"}', "x").complaint


def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Put an `iperf3` of our own before the real one; it notes its arguments."""
    path, notes = tmp_path / "iperf3", tmp_path / "arguments"
    path.write_text(f'#!/bin/sh\necho "$@" >> {notes}\n{script}\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return notes


def trials(sizes: Sequence[int] = (1360, 1200)) -> list[Trial]:
    async def collect() -> list[Trial]:
        return [one async for one in measure("10.0.0.1", 5201, sizes, Place("ppp0"), 1)]

    return asyncio.run(collect())


def test_each_size_is_tried_both_ways_through_the_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = program(tmp_path, monkeypatch, f"echo '{REPORT}'")
    assert trials() == [Trial(mss, Flow(8e6, 3), Flow(8e6, 3)) for mss in (1360, 1200)]
    lines = notes.read_text().splitlines()
    assert [line.endswith("-R") for line in lines] == [False, True] * 2
    assert all("-c 10.0.0.1 -p 5201" in line and "--bind-dev ppp0" in line for line in lines)
    assert ["-M 1360" in line for line in lines] == [True, True, False, False]


def test_a_size_that_stalls_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "GRACE", -0.5)
    program(tmp_path, monkeypatch, "exec sleep 60")
    (one,) = trials((1360,))
    assert "stalled" in one.up.complaint
    assert "stalled" in one.down.complaint


def test_a_busy_server_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "BUSY_PAUSE", 0.01)
    busy = """echo '{"error": "the server is busy running a test. try again later"}'"""
    notes = program(
        tmp_path, monkeypatch, f"""[ $(wc -l < {tmp_path}/arguments) -lt 3 ] && {busy} || echo '{REPORT}'"""
    )
    assert len(trials((1360,))) == 1
    assert len(notes.read_text().splitlines()) == 4
    program(tmp_path, monkeypatch, busy)
    with pytest.raises(UnmeasurableError, match="busy with another"):
        trials((1360,))


def test_without_iperf3_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HoldfastError, match="apt-get install iperf3"):
        trials()
