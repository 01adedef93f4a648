"""A corpus of labelled captures with real peers, made in the lab; the label is what was broken on purpose.

    client (10.8.0.2) ---- router (10.8.0.1, 10.9.0.2) ---- server (10.9.0.1)

pptp-linux with pppd dials pptpd through a router, all in one guest. Each scenario breaks one thing and is captured at
both ends, so that each gives two captures. Needs root and the lab. `python -m bench.corpus FOLDER [NAME...]` makes the
captures and `labels.json`; `python -m bench.corpus --score FOLDER` judges them and names every miss.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.corpus_scenarios import SCENARIOS, Scenario
from holdfast.capture.diagnosis import Verdict, diagnose
from holdfast.capture.findings.base import Severity
from lab import image
from lab.guest import Guest, GuestError
from lab.network import namespace
from tests.support.lab_peers import Client, NoTunnelError, PptpServer

OUT = Path(__file__).parent / "out" / "corpus"
"""Where the corpus lies when nobody says otherwise; it is made once."""
SERVER = "10.9.0.1"
NETWORK = """
ip netns add street; ip netns add router
ip link add s0 type veth peer name r1 netns router
ip link add r0 netns router type veth peer name c0 netns street
ip address add 10.9.0.1/24 dev s0; ip link set s0 up; ip route add 10.8.0.0/24 via 10.9.0.2
for n in street router; do ip -n $n link set lo up; done
ip -n router address add 10.9.0.2/24 dev r1; ip -n router link set r1 up
ip -n router address add 10.8.0.1/24 dev r0; ip -n router link set r0 up
ip -n street address add 10.8.0.2/24 dev c0; ip -n street link set c0 up
ip -n street route add default via 10.8.0.1
ip netns exec router sysctl -qw net.ipv4.ip_forward=1
"""
CLEAN = "ip netns delete street; ip netns delete router; ip link delete s0 2>/dev/null; ip route flush cache; true"
WANTED = 0.95
DRAIN = 1.5
"""Seconds that tcpdump in the slow guest gets to write what it has."""


@dataclass
class Stage:
    """A scenario under way."""

    guest: Guest
    scenario: Scenario
    clients: list[Client] = field(default_factory=list)

    def router(self, script: str) -> None:
        """Run a script in the router."""
        self.guest.run(f"ip netns exec router sh -ec {json.dumps(script)}")

    def dial(self) -> Client:
        """Dial once and wait until the tunnel is up or the client gave up."""
        scenario = self.scenario
        client = Client(self.guest, SERVER, scenario.user, scenario.password, scenario.client, namespace="street")
        self.clients.append(client.__enter__())
        with suppress(NoTunnelError, GuestError):
            client.wait_up(45)
        return client


def record(guest: Guest, scenario: Scenario, folder: Path) -> None:
    """Play a scenario and leave its two captures in `folder`."""
    guest.run(NETWORK)
    captures = [
        guest.start("exec tcpdump -Z root -U --immediate-mode -s 0 -i s0 -w /share/server.pcap"),
        guest.start("exec ip netns exec street tcpdump -Z root -U --immediate-mode -s 0 -i c0 -w /share/client.pcap"),
    ]
    stage = Stage(guest, scenario)
    time.sleep(0.5)
    try:
        if scenario.before:
            stage.router(scenario.before)
        _play(stage)
    finally:
        for client in stage.clients:
            client.__exit__(None, None, None)
        time.sleep(DRAIN)
        for capture in captures:
            capture.signal("INT")
            capture.wait(10)
        guest.run(CLEAN)
    for end in ("client", "server"):
        (folder / f"{scenario.name}.{end}.pcap").write_bytes((guest.share / f"{end}.pcap").read_bytes())


def _play(stage: Stage) -> None:
    scenario = stage.scenario
    if scenario.service is not None:
        other = stage.guest.start(scenario.service)
        time.sleep(0.5)
        stage.dial()
        other.kill()
        return
    with PptpServer(stage.guest, scenario.server):
        for _ in range(scenario.times):
            client = stage.dial()
            if client.job.result is None:
                _use(stage, client)


def _use(stage: Stage, client: Client) -> None:
    """Do in a tunnel that is up what the scenario wants, then end it."""
    scenario = stage.scenario
    with suppress(GuestError):
        client.run(scenario.during.replace("PPP", client.interface), timeout=90)
    if scenario.later:
        stage.router(scenario.later)
    time.sleep(scenario.wait)
    if scenario.server_ends:
        stage.guest.run("pkill -TERM -f 'pppd.*pptpd' || pkill -TERM pppd; true")
        time.sleep(2)
    elif client.job.result is None and not scenario.later:
        with suppress(GuestError):
            client.hang_up()


def make(folder: Path, names: list[str]) -> None:
    """Make the captures of all scenarios, or of those named."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    labels = {}
    with ExitStack() as stack:
        outside = stack.enter_context(namespace("corpus"))
        place = stack.enter_context(tempfile.TemporaryDirectory())
        guest = stack.enter_context(Guest(image.ensure(), outside, Path(place) / "guest"))
        for scenario in chosen:
            begin = time.monotonic()
            record(guest, scenario, folder)
            print(f"{scenario.name}: {time.monotonic() - begin:.0f} s", flush=True)
    for scenario in SCENARIOS:
        labels[f"{scenario.name}.client.pcap"] = list(scenario.at_client)
        labels[f"{scenario.name}.server.pcap"] = list(scenario.at_server or scenario.at_client)
    (folder / "labels.json").write_text(json.dumps(labels, indent=1), encoding="utf-8")


def judged(path: Path, wanted: list[str]) -> str:
    """Return what is wrong with the judgement of a capture; empty when it is right."""
    diagnosis = diagnose([str(path)])
    if wanted == ["nothing"]:
        return "" if diagnosis.verdict is Verdict.NOTHING else "nothing, but there is something"
    serious = [finding.id for finding in diagnosis.judgement.all if finding.severity is not Severity.NOTE]
    if wanted == ["healthy"]:
        return "" if diagnosis.verdict is Verdict.HEALTHY else f"healthy, but {serious}"
    found = [finding.id for finding in diagnosis.judgement.all]
    top = serious[:1] or found[:1]
    return "" if top and top[0] in wanted else f"{' or '.join(wanted)}, but found {found}"


def score(folder: Path, say: Callable[[str], None] = print) -> float:
    """Judge every capture of a corpus; say each miss; return the share that is right."""
    labels: dict[str, list[str]] = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    there = {name: wanted for name, wanted in labels.items() if (folder / name).exists()}
    misses = {name: wrong for name, wanted in there.items() if (wrong := judged(folder / name, wanted))}
    for name, wrong in misses.items():
        say(f"miss: {name} is {wrong}")
    right = len(there) - len(misses)
    say(f"{right} of {len(there)} captures judged right ({right / max(len(there), 1):.1%}); wanted {WANTED:.0%}")
    return right / max(len(there), 1)


def main(arguments: list[str] | None = None) -> int:
    """Make a corpus, or score one."""
    parser = argparse.ArgumentParser(prog="bench.corpus", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=OUT)
    parser.add_argument("names", nargs="*", help="only these scenarios")
    parser.add_argument("--score", action="store_true")
    options = parser.parse_args(arguments)
    if not options.score and (options.names or options.folder != OUT or not (OUT / "labels.json").exists()):
        make(options.folder, options.names)
    return 0 if score(options.folder) >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
