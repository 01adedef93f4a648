"""`python -m bench dial`: how fast a dialer is up, notices that it is not, and is back. Needs root.

    dialer == wan == gateway

Times come from the dialer's own event log and, for what is done to the network, from the clock of this process.
"""

import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.demo import HOLDFAST, command, daemon, until
from bench.namespaces import joined, run

DIALER, GATEWAY = "holdfast-bench-dialer", "holdfast-bench-gateway"
GATEWAY_OUTER, DIALER_OUTER = "192.0.2.1", "192.0.2.2"
ROUNDS = 5
ECHO, FAILURES = 1, 2
LOSS = "echo_timeout"


@dataclass
class Dialled:
    """A running dialer's event log."""

    log: Path

    def times(self, event: str, **fields: str) -> list[float]:
        """Return when such events happened (seconds since 1970)."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        records = [json.loads(line) for line in lines]
        wanted = [r for r in records if r["event"] == event and all(r.get(k) == v for k, v in fields.items())]
        return [datetime.fromisoformat(record["ts"]).timestamp() for record in wanted]

    def phases(self) -> dict[str, float]:
        """Return the milliseconds of each phase of the last try."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        found: dict[str, float] = {}
        for record in lines:
            if record["event"] == "DIAL_PHASE":
                if record["phase"] == "name":
                    found = {}
                found[record["phase"]] = record["milliseconds"]
        return found

    def wait(self, event: str, count: int, **fields: str) -> float:
        """Wait for the event to have happened so often; return when it last did."""
        until(lambda: len(self.times(event, **fields)) >= count, f"{event} did not happen {count} times", 20)
        return self.times(event, **fields)[count - 1]


def main(_arguments: list[str]) -> None:
    """Measure every scenario and print the table."""
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder,
        joined(GATEWAY, DIALER, f"{GATEWAY_OUTER}/24", f"{DIALER_OUTER}/24"),
    ):
        directory = Path(folder)
        state, password = directory / "gateway", directory / "password"
        password.touch(0o600)
        password.write_text(secrets.token_hex(12))
        add = ("user", "add", "alice", "--password-stdin", "--state", str(state))
        command(*add, text=password.read_text() + "\n")
        with daemon(GATEWAY, "serve", "--state", str(state), log=directory / "gateway.log"):
            until(lambda: run(HOLDFAST, "status", "--state", str(state), check=False), "the gateway did not come up")
            first = [first_connect(directory, password, number) for number in range(ROUNDS)]
            rows = [row("first connect: TCP to the first ping answered", first, "150 ms")]
            rows += broken(directory, password)
    print(f"{'scenario':<56}{'median':>10}{'worst':>10}   wanted")
    for text in rows:
        print(text)


def row(name: str, seconds: list[float], wanted: str) -> str:
    """Return a line of the table."""
    return f"{name:<56}{statistics.median(seconds) * 1000:>7.0f} ms{max(seconds) * 1000:>7.0f} ms   {wanted}"


def dial(directory: Path, password: Path, name: str) -> tuple[tuple[str, ...], Dialled]:
    """Return the arguments for a dialer called `name`, and its log."""
    keys = (f"echo_interval={ECHO}", f"echo_failures={FAILURES}", "retry_spread=0", "retry_max=1", "dns=none")
    options = ("--routes", "full", *(word for key in keys for word in ("--set", key)))
    state = directory / "dialer"
    where = ("--name", name, "--state", str(state), "--password-file", str(password))
    return ("dial", GATEWAY_OUTER, "--user", "alice", *where, *options), Dialled(state / "dial" / name / "events.jsonl")


def first_connect(directory: Path, password: Path, number: int) -> float:
    """Return the seconds from TCP to the first answer from inside."""
    arguments, dialled = dial(directory, password, f"first{number}")
    with daemon(DIALER, *arguments, log=directory / "dialer.log"):
        dialled.wait("DIAL_PHASE", 1, phase="traffic")
        return sum(value for phase, value in dialled.phases().items() if phase != "name") / 1000


def broken(directory: Path, password: Path) -> list[str]:
    """Cut and mend GRE, and take the address away, again and again with one dialer; return the lines of the table."""
    arguments, dialled = dial(directory, password, "broken")
    detected, back, moved = [], [], []
    with daemon(DIALER, *arguments, log=directory / "dialer.log"):
        ups = 1
        dialled.wait("DIAL_PHASE", ups, phase="traffic")
        for number in range(1, ROUNDS + 1):
            cut_at = at(lambda: nft("add table ip cut; add chain ip cut out { type filter hook output priority 0; }"))
            nft("add rule ip cut out ip protocol gre drop")
            detected.append(dialled.wait("TEARDOWN", number, reason=LOSS) - cut_at - ECHO * FAILURES)
            mended_at = at(lambda: nft("delete table ip cut"))
            ups += 1
            back.append(dialled.wait("DIAL_PHASE", ups, phase="traffic") - mended_at)
        for number in range(1, ROUNDS + 1):
            moved_at = at(lambda last=number: readdress(last))
            ups += 1
            moved.append(dialled.wait("DIAL_PHASE", ups, phase="traffic") - moved_at)
    return [
        row("GRE cut: noticed, beyond interval x failures", detected, "1000 ms"),
        row("GRE possible again: traffic (back-off up to 1 s)", back, "1000 ms beyond the back-off"),
        row("another address under it: traffic again", moved, "1000 ms"),
    ]


def at(action: Callable[[], object]) -> float:
    """Do something and return when that was."""
    began = time.time()
    action()
    return began


def nft(text: str) -> None:
    """Change the dialer's firewall."""
    run("nft", text, namespace=DIALER)


def readdress(last: int) -> None:
    """Give the dialer's host another address."""
    old = json.loads(run("ip", "-n", DIALER, "-j", "-4", "addr", "show", "dev", "wan"))[0]["addr_info"][0]["local"]
    run("ip", "-n", DIALER, "addr", "del", f"{old}/24", "dev", "wan")
    run("ip", "-n", DIALER, "addr", "add", f"192.0.2.{100 + last}/24", "dev", "wan")


if __name__ == "__main__":
    main(sys.argv[1:])
