"""`python -m bench dial`: how fast a dialer is up, notices that it is not, and is back. Needs root.

`python -m bench.dial PART...` measures a part: `first`, `losses`, `crowd` or `pptpd`.

    dialer == wan == gateway                  dialer == tap == pptpd in a guest (bench.dial_pptpd)

Times come from the dialer's own event log and, for what is done to the network, from the clock of this process. A
thousand dialers that lose one server are simulated: their state machine, in virtual time.
"""

import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.demo import HOLDFAST, command, daemon, until
from bench.dial_pptpd import at_pptpd
from bench.dialled import ECHO, FAILURES, dial, row
from bench.namespaces import joined, run
from holdfast.dialer.reconnect import Reconnect, ReconnectPolicy
from holdfast.errors import DisconnectReason

DIALER, GATEWAY = "holdfast-bench-dialer", "holdfast-bench-gateway"
GATEWAY_OUTER, DIALER_OUTER = "192.0.2.1", "192.0.2.2"
PARTS = ("first", "losses", "crowd", "pptpd")
ROUNDS = 5
LOSS = "echo_timeout"
STAYS = "the tunnel still answers: it stays"
CROWD = 1000
OUTAGES = (5, 20, 120)


def main(arguments: list[str]) -> None:
    """Measure every scenario, or those of `PARTS` that are named, and print the table."""
    wanted = set(arguments) or set(PARTS)
    if wanted - set(PARTS):
        raise SystemExit(f"there are {', '.join(PARTS)}")
    rows: list[str] = []
    if wanted & {"first", "losses"}:
        rows += at_gateway(wanted)
    if "crowd" in wanted:
        rows += crowd()
    if "pptpd" in wanted:
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            rows += at_pptpd(Path(folder))
    print(f"{'scenario':<56}{'median':>10}{'worst':>10}   wanted")
    for text in rows:
        print(text)


def at_gateway(wanted: set[str]) -> list[str]:
    """Dial our own gateway; return the lines."""
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
            rows = []
            if "first" in wanted:
                first = [first_connect(directory, password, number) for number in range(ROUNDS)]
                rows.append(row("first connect: TCP to the first ping answered", first, "150 ms"))
            if "losses" in wanted:
                rows += broken(directory, password)
                rows += probed(directory, password)
    return rows


def first_connect(directory: Path, password: Path, number: int) -> float:
    """Return the seconds from TCP to the first answer from inside."""
    arguments, dialled = dial(directory, password, f"first{number}", GATEWAY_OUTER)
    with daemon(DIALER, *arguments, log=directory / "dialer.log"):
        dialled.wait("DIAL_PHASE", 1, phase="traffic")
        return sum(value for phase, value in dialled.phases().items() if phase != "name") / 1000


def broken(directory: Path, password: Path) -> list[str]:
    """Cut and mend GRE, and take the address away, again and again with one dialer; return the lines of the table."""
    arguments, dialled = dial(directory, password, "broken", GATEWAY_OUTER)
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
    arguments, dialled = dial(directory, password, "probed", GATEWAY_OUTER, echo=30)
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
