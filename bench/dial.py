"""`python -m bench dial`: how fast a dialer is up, notices that it is not, and is back. Needs root.

    dialer == wan == gateway                  dialer == tap == pptpd in a guest

Times come from the dialer's own event log and, for what is done to the network, from the clock of this process. A
thousand dialers that lose one server are simulated: their state machine, in virtual time.
"""

import json
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.demo import HOLDFAST, command, daemon, until
from bench.namespaces import joined, run
from bench.pptpd import GUEST, PASSWORD, TAP, serving
from bench.stamps import Stamped
from bench.turns import Moves, Turns, open_on, split
from holdfast.dialer.reconnect import Reconnect, ReconnectPolicy
from holdfast.errors import DisconnectReason
from tests.support.engine_lab import inside
from tests.support.logs import so_far

DIALER, GATEWAY = "holdfast-bench-dialer", "holdfast-bench-gateway"
GATEWAY_OUTER, DIALER_OUTER = "192.0.2.1", "192.0.2.2"
ROUNDS = 5
PPTPD_ROUNDS = 9
ECHO, FAILURES = 1, 2
LOSS = "echo_timeout"
STAYS = "the tunnel still answers: it stays"
CROWD = 1000
OUTAGES = (5, 20, 120)


@dataclass
class Dialled:
    """A running dialer's event log."""

    log: Path

    def records(self, event: str, **fields: str) -> list[dict[str, Any]]:
        """Return such events, each with `at`: seconds since 1970."""
        wanted = [r for r in so_far(self.log) if r["event"] == event and all(r.get(k) == v for k, v in fields.items())]
        return [{**record, "at": datetime.fromisoformat(record["ts"]).timestamp()} for record in wanted]

    def times(self, event: str, **fields: str) -> list[float]:
        """Return when such events happened (seconds since 1970)."""
        return [record["at"] for record in self.records(event, **fields)]

    def due(self) -> float:
        """Return when the last pause between two tries was over."""
        last = self.records("DIAL_WAIT")[-1]
        return float(last["at"] + last["delay"])

    def phases(self) -> dict[str, float]:
        """Return the milliseconds of each phase of the last try."""
        found: dict[str, float] = {}
        for record in so_far(self.log):
            if record["event"] == "DIAL_PHASE":
                if record["phase"] == "name":
                    found = {}
                found[record["phase"]] = record["milliseconds"]
        return found

    def wait(self, event: str, count: int, **fields: str) -> float:
        """Wait for the event to have happened so often; return when it last did."""
        until(lambda: len(self.times(event, **fields)) >= count, f"{event} did not happen {count} times", 60)
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
            rows += probed(directory, password)
        rows += crowd()
        rows += at_pptpd(directory)
    print(f"{'scenario':<56}{'median':>10}{'worst':>10}   wanted")
    for text in rows:
        print(text)


def row(name: str, seconds: list[float], wanted: str) -> str:
    """Return a line of the table."""
    return f"{name:<56}{statistics.median(seconds) * 1000:>7.0f} ms{max(seconds) * 1000:>7.0f} ms   {wanted}"


def dial(
    directory: Path, password: Path, name: str, host: str = GATEWAY_OUTER, echo: int = ECHO
) -> tuple[tuple[str, ...], Dialled]:
    """Return the arguments for a dialer called `name`, and its log."""
    keys = (f"echo_interval={echo}", f"echo_failures={FAILURES}", "retry_spread=0", "retry_max=1", "dns=none")
    options = ("--routes", "full", *(word for key in keys for word in ("--set", key)))
    state = directory / "dialer"
    where = ("--name", name, "--state", str(state), "--password-file", str(password))
    return ("dial", host, "--user", "alice", *where, *options), Dialled(state / "dial" / name / "events.jsonl")


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
            carried = dialled.wait("DIAL_PHASE", ups, phase="traffic")
            back.append(carried - max(mended_at, dialled.due()))
        for number in range(1, ROUNDS + 1):
            moved_at = at(lambda last=number: readdress(last))
            ups += 1
            moved.append(dialled.wait("DIAL_PHASE", ups, phase="traffic") - moved_at)
    return [
        row("GRE cut: noticed, beyond interval x failures", detected, "1000 ms"),
        row("GRE possible again: traffic, beyond the back-off due", back, "1000 ms"),
        row("another address under it: traffic again", moved, "1000 ms"),
    ]


def probed(directory: Path, password: Path) -> list[str]:
    """Change the route to the server under a tunnel that lives, and under one that does not; return the lines."""
    arguments, dialled = dial(directory, password, "probed", echo=30)
    alive, dead = [], []
    with daemon(DIALER, *arguments, log=directory / "dialer.log"):
        dialled.wait("DIAL_PHASE", 1, phase="traffic")
        for number in range(1, ROUNDS + 1):
            changed_at = at(unpin)
            alive.append(dialled.wait("CARRIER_CHANGE", number, detail=STAYS) - changed_at)
        for number in range(1, ROUNDS + 1):
            nft("add table ip cut; add chain ip cut out { type filter hook output priority 0; }")
            nft("add rule ip cut out ip protocol gre drop")
            changed_at = at(unpin)
            dead.append(dialled.wait("TEARDOWN", number) - changed_at)
            nft("delete table ip cut")
            dialled.wait("DIAL_PHASE", number + 1, phase="traffic")
    return [
        row("network changed, tunnel alive: verdict", alive, "1500 ms"),
        row("network changed, tunnel dead: verdict", dead, "1500 ms"),
    ]


def unpin() -> None:
    """Take the pinned route to the server away, as a network manager does that rebuilds its routes."""
    run("ip", "-n", DIALER, "route", "del", f"{GATEWAY_OUTER}/32", "dev", "wan")


def crowd() -> list[str]:
    """Let a thousand dialers lose their server in the same moment; return the lines."""
    policy = ReconnectPolicy()
    lines = []
    for outage in OUTAGES:
        worst, back = lose(policy, outage)
        what = f"{CROWD} dialers, server away for {outage} s"
        lines.append(f"{f'{what}: busiest second':<56}{worst:>9.1%}{'':>10}   10 %")
        lines.append(row(f"{what}: back", back, f"{(policy.maximum + 30) * 1000:.0f} ms at worst"))
    return lines


def lose(policy: ReconnectPolicy, outage: float) -> tuple[float, list[float]]:
    """Return which part of them the busiest second sees, and how long after its return each is back, in seconds."""
    dialers = [Reconnect(policy, secrets.token_bytes) for _ in range(CROWD)]
    tries: Counter[int] = Counter()
    back = []
    for one in dialers:
        one.start(-1000.0)
        one.up(-1000.0)
        one.ended(DisconnectReason.CONTROL_LOST, "the server is gone", 0.0)
        while one.deadline is not None:
            now = one.deadline
            one.handle_timer(now)
            tries[int(now)] += 1
            if now >= outage:
                one.up(now)
                back.append(now - outage)
                break
            one.ended(DisconnectReason.NETWORK_ERROR, "no answer", now)
    return max(tries.values()) / CROWD, back


def at_pptpd(directory: Path) -> list[str]:
    """Dial a real pptpd; return the lines: its LCP left out, and whose the rest was by what was on the wire."""
    total, lcp, turns = dialled_pptpd(directory, "pptpd")
    bare, _, _ = dialled_pptpd(directory, "bare", scripts=False)
    return [
        row("first connect to pptpd in a guest, LCP left out", total, "200 ms"),
        row("  of it on the wire: waits that the server ended", [one.theirs for one in turns], "its own"),
        row("  of it on the wire: waits that the dialer ended", [one.ours for one in turns], ""),
        row("  the same where pppd has no script ip-pre-up", bare, ""),
        row("its LCP", lcp, "its own"),
    ]


def dialled_pptpd(directory: Path, name: str, *, scripts: bool = True) -> tuple[list[float], list[float], list[Turns]]:
    """Dial it again and again; return the seconds of each try without LCP, of its LCP, and whose turn it was."""
    password = directory / "pptpd-password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    total, lcp, turns = [], [], []
    with serving(directory, scripts=scripts) as here:
        for number in range(PPTPD_ROUNDS):
            arguments, dialled = dial(directory, password, f"{name}{number}", host=GUEST)
            moves = Moves()
            with (
                Stamped(inside(here, lambda: open_on(TAP)), moves.hear),
                daemon(here.name, *arguments, log=directory / "dialer.log"),
            ):
                dialled.wait("DIAL_PHASE", 1, phase="traffic")
            phases = dialled.phases()
            lcp.append(phases["lcp"] / 1000)
            total.append(sum(took for phase, took in phases.items() if phase not in {"name", "lcp"}) / 1000)
            (called,), (opened,) = (dialled.times("DIAL_PHASE", phase=phase) for phase in ("call", "lcp"))
            turns.append(split(moves, (called, opened)))
    return total, lcp, turns


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
