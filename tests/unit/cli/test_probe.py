"""`holdfast probe`: what is asked, where, and how it ends; real tunnels are in tests/netns/test_dial_probes.py."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import probe as command
from holdfast.dialer.service import tunnel_dir
from holdfast.local_api import SOCKET_NAME, ApiServer
from holdfast.probe.outcome import Outcome, Stage
from holdfast.probe.place import Place
from holdfast.probe.settings import Fetch, Lookup, Ping, Probe
from holdfast.probe.throughput import Flow, Trial
from unit.cli.conftest import Run

UP = {"local": "10.77.0.10", "peer": "10.77.0.1", "dns": ["10.77.0.53", "0.0.0.0"]}
STATUS: dict[str, Any] = {
    "name": "office", "state": "up", "interface": "pptp0", "address": "192.0.2.1", "up": UP, "probes": [],
}  # fmt: skip


class Seen:
    """What was asked, and what it is told to turn out as."""

    def __init__(self) -> None:
        self.probes: list[Probe] = []
        self.places: list[Place] = []
        self.outcome = Outcome("fine", 0.01)

    async def run(self, probe: Probe, place: Place) -> Outcome:
        self.probes.append(probe)
        self.places.append(place)
        return self.outcome


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    made = Seen()
    monkeypatch.setattr(command, "run", made.run)
    return made


@pytest.fixture
def dialer(state: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Serve the control socket of a tunnel, as its dialer does."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers = []

    def serve(status: dict[str, Any]) -> None:
        async def tell(_request: object) -> Any:
            return status

        async def probe(_request: object) -> Any:
            return [{"name": "far", "kind": "ping", "target": "x", **Outcome("bad", 1.0, Stage.LOSS).plain()}]

        folder = tunnel_dir(state, status["name"])
        folder.mkdir(parents=True)
        server = ApiServer(folder / SOCKET_NAME, {"status": tell, "probe": probe})
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        servers.append(server)

    yield serve
    for server in servers:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_what_is_named_is_asked_through_the_only_tunnel(run: Run, seen: Seen, dialer: Any) -> None:
    dialer(STATUS)
    asked = ("--dns", "a.example", "--http", "http://x/", "--status", "204", "--ping", "10.0.0.1", "--count", "3")
    ended = run("probe", *asked, "--timeout", "2")
    assert ended.code == 0, ended.err
    assert [probe.what for probe in seen.probes] == [
        Lookup("a.example"), Fetch("http://x/", (204,)), Ping("10.0.0.1", 3),
    ]  # fmt: skip
    assert {probe.timeout for probe in seen.probes} == {2.0}
    assert {*seen.places} == {Place("pptp0", "10.77.0.10", ("10.77.0.53",), "192.0.2.1")}
    assert "fine" in ended.out


def test_without_probes_the_other_end_is_pinged(run: Run, seen: Seen, dialer: Any) -> None:
    dialer(STATUS)
    assert run("probe", "office").code == 0
    assert [probe.what for probe in seen.probes] == [Ping("10.77.0.1")]


def test_the_dialer_runs_the_probes_of_its_file(run: Run, seen: Seen, dialer: Any) -> None:
    dialer({**STATUS, "probes": [{"name": "far"}]})
    ended = run("probe", "office", "--json")
    report = json.loads(ended.out)
    assert (ended.code, report["tunnel"], report["interface"]) == (1, "office", "pptp0")
    assert [one["result"] for one in report["probes"]] == ["loss"]
    assert report["throughput"] is None
    assert seen.probes == []


def test_an_interface_of_anybody(run: Run, seen: Seen) -> None:
    ended = run(
        "probe", "--interface", "lo", "--ping", "127.0.0.2", "--dns-server", "10.0.0.53", "--direct", "127.0.0.1"
    )
    assert ended.code == 0, ended.err
    assert seen.places == [Place("lo", servers=("10.0.0.53",), direct="127.0.0.1")]
    assert seen.probes[0].what == Ping("127.0.0.2", server="10.0.0.53")


@pytest.mark.parametrize(("stage", "code"), [(None, 0), (Stage.NAME, 1), (Stage.HOST, 2)])
def test_how_it_ends(run: Run, seen: Seen, stage: Stage | None, code: int) -> None:
    seen.outcome = Outcome("so it is", 0.01, stage)
    assert run("probe", "--interface", "lo", "--ping", "127.0.0.1").code == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no tunnel runs"),
        (("--interface", "no-such-link"), "no such interface"),
        (("--interface", "lo"), "the address at the other end is not known"),
        (("office", "--interface", "lo"), "not both"),
        (("--interface", "lo", "--http", "ftp://x"), "begins with http"),
        (("--interface", "lo", "--ping", "a b"), "--ping a b"),
        (("--interface", "lo", "--dns", "a", "--dns-server", "x"), "IPv4 address"),
        (("--interface", "lo", "--direct", "no-such.invalid", "--ping", "a"), "no IPv4 address"),
        (("--interface", "lo", "--iperf3", "x", "--mss", "9,x"), "no segment sizes"),
        (("--interface", "lo", "--iperf3", "x:y"), "SERVER:PORT"),
    ],
)
def test_what_cannot_run_is_said(run: Run, seen: Seen, arguments: tuple[str, ...], words: str) -> None:
    ended = run("probe", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert seen.probes == []


def test_a_tunnel_must_be_named_right_and_be_up(run: Run, seen: Seen, dialer: Any) -> None:
    dialer({**STATUS, "up": None, "state": "waiting"})
    assert "not up (waiting)" in run("probe").err
    assert "these run: office" in run("probe", "offices").err
    dialer({**STATUS, "name": "lab"})
    assert "which tunnel?" in run("probe").err
    assert seen.probes == []


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stand in for iperf3: sizes above 1360 stall."""
    calls: list[Any] = []

    async def measure(*arguments: Any) -> Any:
        calls.append(arguments)
        for mss in arguments[2]:
            flow = Flow(complaint="it stalled") if mss > 1360 else Flow(1e6 * mss, 0)
            yield Trial(mss, flow, flow)

    monkeypatch.setattr(command.throughput, "measure", measure)
    return calls


def test_throughput_names_the_largest_and_the_fastest(run: Run, dialer: Any, measured: list[Any]) -> None:
    dialer(STATUS)
    ended = run("probe", "--iperf3", "10.0.0.5:5202", "--mss", "1400,1360,1200", "--seconds", "1")
    assert ended.code == 0, ended.err
    assert measured[0][:3] == ("10.0.0.5", 5202, (1400, 1360, 1200))
    assert "largest that passes: MSS 1360 (MTU 1400)" in ended.out
    assert "it stalled" in ended.out
    report = json.loads(run("probe", "--iperf3", "10.0.0.5", "--json").out)
    assert (report["throughput"]["largest"], report["throughput"]["fastest"]) == (1360, 1360)
    assert [one["passes"] for one in report["throughput"]["trials"]][:2] == [False, True]
    assert report["probes"] == []


def test_no_size_that_passes_is_a_negative_answer(run: Run, dialer: Any, measured: list[Any]) -> None:
    dialer(STATUS)
    ended = run("probe", "--iperf3", "10.0.0.5", "--mss", "1400")
    assert (ended.code, len(measured)) == (1, 1)
    assert "no size passes both ways" in ended.out
