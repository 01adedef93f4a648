"""Client hosts that are cut off: how long until their session is released. Needs root.

`python -m bench.detection [--trials N] [--interval SECONDS] [--failures N]` makes two namespaces, runs `holdfast serve`
in one and all clients in the other, and cuts each client off at a random moment: its GRE ends and its TCP falls silent,
without a word on either. Promised is a release within interval x failures + 1 s. Prints a table and asserts nothing.
"""

import argparse
import asyncio
import json
import random
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.demo import command, daemon, until
from bench.load import CLIENT, CLIENT_OUTER, GATEWAY, GATEWAY_OUTER, Generator, LoadTunnel
from bench.namespaces import joined
from holdfast.errors import HoldfastError
from holdfast.secret import Secret
from tests.support.logs import so_far

CONFIG = """
[addresses]
gateway = "10.64.0.1"
pool = ["10.64.0.10-10.64.63.250"]
dns = ["10.64.0.1"]
nat = false
[ppp]
lcp_echo_interval = {interval}
lcp_echo_failures = {failures}
[admission]
flaps = 0
"""
SPREAD = 20.0
"""Seconds over which a thousand clients are cut off; fewer take less."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What was seen: seconds from the cut to the release of each session, and what was promised."""

    trials: int
    seconds: tuple[float, ...]
    promised: float
    reasons: dict[str, int]

    @property
    def in_time(self) -> int:
        """How many were released in time."""
        return sum(second <= self.promised for second in self.seconds)


# --- the clients, in their namespace -------------------------------------------------------------------------


class MortalTunnel(LoadTunnel):
    """A client that can be cut off."""

    def cut_off(self) -> None:
        """Say nothing more on TCP, and do not even read."""
        self._alarm.cancel()
        if self._transport is not None:
            self._transport.pause_reading()


class MortalGenerator(Generator):
    """Brings clients up and cuts them off."""

    async def _one(self) -> None:
        async with self._slots:
            tunnel = MortalTunnel(self._settings, self._password, self._port)
            try:
                self._tunnels.append((tunnel, await tunnel.connect(GATEWAY_OUTER)))
            except HoldfastError as error:
                self.failed.append(error.what)

    async def cut_all(self, patience: float) -> dict[str, float]:
        """Cut all clients off, each at a moment of its own; return when (seconds since 1970), by inner address."""
        cuts: dict[str, float] = {}
        spread = max(2.0, SPREAD * len(self._tunnels) / 1000)
        moments = sorted(random.uniform(0, spread) for _ in self._tunnels)
        begun = time.monotonic()
        for moment, (tunnel, up) in zip(moments, self._tunnels, strict=True):
            await asyncio.sleep(max(0.0, begun + moment - time.monotonic()))
            tunnel.cut_off()
            self._engine.remove_call(up.handle)
            cuts[up.local] = time.time()
        await asyncio.sleep(patience)
        return cuts


async def be_cut_off(count: int, patience: float, password: Secret) -> dict[str, Any]:
    """Do the whole thing; return what was seen."""
    generator = MortalGenerator(password)
    await generator.bring_up(count)
    print("up", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    cuts = await generator.cut_all(patience)
    return {"cuts": cuts, "failed": generator.failed[:3]}


def client(count: int, patience: float) -> None:
    """Run the clients; the password comes on standard input, the result goes to standard output as JSON."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    password = Secret(sys.stdin.readline().strip().encode())
    print(json.dumps(asyncio.run(be_cut_off(count, patience, password))), flush=True)


# --- the measurement -----------------------------------------------------------------------------------------


def measure(trials: int, interval: float, failures: int) -> Detection:
    """Run one gateway and all its clients."""
    promised = interval * failures + 1
    with tempfile.TemporaryDirectory(prefix="holdfast-detection-") as directory:
        state, config, password = Path(directory, "state"), Path(directory, "config.toml"), secrets.token_hex(12)
        config.write_text(CONFIG.format(interval=float(interval), failures=failures))
        command("user", "add", "load", "--password-stdin", "--state", str(state), text=password + "\n")
        serving = ("serve", "--state", str(state), "--config", str(config))
        with daemon(GATEWAY, *serving, log=Path(directory, "log")):
            until((state / "control.sock").exists, "the gateway did not come up")
            sessions, found = _cut_clients(state, trials, promised + 3, password)
            time.sleep(1)
            records = so_far(state / "events.jsonl")
    for failure in found["failed"]:
        print(f"          failed: {failure}")
    return _judge(trials, promised, sessions, found["cuts"], records)


def _cut_clients(state: Path, trials: int, patience: float, password: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the address of each session, and what the clients say."""
    arguments = (sys.executable, "-m", "bench.detection", "--client", str(trials), "--patience", str(patience))
    with subprocess.Popen(
        ("ip", "netns", "exec", CLIENT, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(password + "\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "up"
        listed = json.loads(command("sessions", "--json", "--state", str(state)))
        process.stdin.write("cut\n")
        process.stdin.flush()
        found: dict[str, Any] = json.loads(process.stdout.readline())
    return {session["id"]: session["address"] for session in listed}, found


def _judge(
    trials: int, promised: float, sessions: dict[str, str], cuts: dict[str, float], records: list[dict[str, Any]]
) -> Detection:
    seconds: list[float] = []
    reasons: dict[str, int] = {}
    for record in records:
        address = sessions.get(record.get("session", ""))
        if record["event"] == "TEARDOWN" and address in cuts:
            seconds.append(datetime.fromisoformat(record["ts"]).timestamp() - cuts[address])
            reasons[record["reason"]] = reasons.get(record["reason"], 0) + 1
    return Detection(trials, tuple(sorted(seconds)), promised, reasons)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--interval", type=float, default=2.0)
    parser.add_argument("--failures", type=int, default=3)
    parser.add_argument("--client", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--patience", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.client:
        client(options.client, options.patience)
        return
    with joined(GATEWAY, CLIENT, f"{GATEWAY_OUTER}/24", f"{CLIENT_OUTER}/24"):
        found = measure(options.trials, options.interval, options.failures)
    print(f"Clients cut off: {options.failures} echoes, {options.interval:g} s apart; promised {found.promised:g} s")
    print(f"{'trials':>7} {'released':>9} {'in time':>8} {'first':>7} {'median':>7} {'last':>7}  reasons")
    times = found.seconds or (float("nan"),)
    print(
        f"{found.trials:>7} {len(found.seconds):>9} {found.in_time:>8} {times[0]:>7.2f} "
        f"{statistics.median(times):>7.2f} {times[-1]:>7.2f}  {found.reasons}",
        flush=True,
    )


if __name__ == "__main__":
    main()
