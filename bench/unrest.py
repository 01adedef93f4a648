"""A restless day for one gateway: clients come and go while everything an operator can do is done to it at random.

`python -m bench.unrest [--seconds 1800] [--seed N] [--clients N] [--kills SHARE] [--keep DIR]`. One namespace has
`holdfast serve`, the other clients (`bench.ordeal_clients`). Reloads, changes of users, disconnects, questions, garbage
on the port and pauses of the network come at random; in the first part also SIGKILL and SIGTERM with a restart. Then
nobody is on, and nothing may be left: no descriptor, no open session or lease in the database, no line that does not
verify, no session without exactly one end, and after the goodbye nothing on the host. Memory is told a minute. Needs
root. Exit code 1 when something was left.
"""

import argparse
import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.demo import HOLDFAST, until
from bench.ordeal import CLIENT_OUTER, GATEWAY_OUTER, PASSWORD, clients, configure, name_of
from lab.network import Namespace, join, namespace

CONFIG = """
addresses.nat = true
ppp.lcp_echo_interval = 2.0
admission.failed_logins = 0
admission.failed_logins_per_address = 0
limits.sessions = {sessions}
log.level = "debug"
log.segment_megabytes = 1
metrics.listen = "127.0.0.1:9723"
metrics.per_call = true
filters.web.rules = ["allow any tcp 80,443"]
"""
NAMES = 200
"""Fewer than there are sessions, so that memory that grows is not that of names."""
QUIET = 60.0
"""Seconds in which a gateway without clients may let go of what it holds."""


@dataclass
class Day:
    """One gateway, what is done to it, and what it was seen to hold."""

    place: Namespace
    directory: Path
    dice: random.Random
    gateway: "subprocess.Popen[bytes] | None" = None
    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.directory / "state"

    def configure(self, sessions: int) -> None:
        """Write the configuration with this limit."""
        configure(self.directory, CONFIG.format(sessions=sessions))

    def start(self) -> None:
        """Let a gateway serve, and wait until it does."""
        arguments = ("serve", "--state", self.state, "--config", self.directory / "config.toml")
        with (self.directory / "gateway.log").open("ab") as output:
            gateway = self.gateway = self.place.start(HOLDFAST, *arguments, stdout=output, stderr=output)
        until(lambda: gateway.poll() is not None or self.ask("status")[0] == 0, "the gateway did not come up", 120)
        if gateway.poll() is not None:
            raise SystemExit(f"the gateway ended:\n{(self.directory / 'gateway.log').read_text()[-3000:]}")

    def end(self, number: int) -> None:
        """Send a signal that ends the gateway, and wait for it."""
        assert self.gateway is not None
        self.gateway.send_signal(number)
        self.gateway.wait(60)
        self.gateway = None

    def ask(self, *words: str, text: str = "") -> tuple[int, str]:
        """Run a command of `holdfast` on this gateway; return its exit code and what it printed."""
        command = self.place.wrap(HOLDFAST, *words, "--state", self.state)
        made = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
        return made.returncode, made.stdout + made.stderr

    def expect(self, *words: str, text: str = "", codes: tuple[int, ...] = (0,)) -> str:
        """Run a command that must work."""
        code, printed = self.ask(*words, text=text)
        if code not in codes:
            self.problems.append(f"holdfast {' '.join(words)} ended with {code}: {printed[-400:]}")
        return printed

    def descriptors(self) -> Counter[str]:
        """What the gateway has open, by name; sockets all have one."""
        assert self.gateway is not None
        found = Counter[str]()
        for link in Path(f"/proc/{self.gateway.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found[str(link.readlink()).partition(":[")[0].removeprefix(f"{self.state}/")] += 1
        return found

    def resident(self) -> int:
        """The gateway's memory, in KiB."""
        assert self.gateway is not None
        status = Path(f"/proc/{self.gateway.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def picture(self) -> dict[str, str]:
        """Everything of the host that a gateway may touch."""
        commands = {
            "links": "ip -brief link",
            "addresses": "ip -4 -brief address",
            "routes": "ip -4 route show table all",
            "rules": "ip rule",
            "firewall": "nft list ruleset",
            "forwarding": "sysctl net.ipv4.ip_forward",
        }
        return {name: self.place.run(*command.split()) for name, command in commands.items()}


def reload(day: Day) -> None:
    """Change the file and tell the gateway, by command or by signal."""
    day.configure(day.dice.choice((0, 15, 100)))
    if day.dice.random() < 0.5:
        day.expect("reload")
    elif day.gateway is not None:
        day.gateway.send_signal(signal.SIGHUP)


def change_users(day: Day) -> None:
    """One user is made, changed, kept out and forgotten."""
    name = f"guest{day.dice.randrange(3)}"
    day.expect("user", "add", name, "--password-stdin", text="a password\n", codes=(0, 1))
    day.expect("user", "set", name, "idle_timeout=600")
    day.expect("user", "disable", name)
    day.expect("user", "remove", name)


def disconnect(day: Day) -> None:
    """End a session that is on, if any."""
    sessions = json.loads(day.expect("sessions", "--json"))
    if sessions:
        day.expect("disconnect", day.dice.choice(sessions)["id"], codes=(0, 1))


def look(day: Day) -> None:
    """Ask what operators ask."""
    sessions = json.loads(day.expect("sessions", "--json"))
    day.expect("status")
    day.expect("events", "--limit", "5")
    if sessions:
        day.expect("why", day.dice.choice(sessions)["id"], codes=(0, 1, 2))


def scrape(day: Day) -> None:
    """Read the metrics."""
    fetch = "import urllib.request as u; print(len(u.urlopen('http://127.0.0.1:9723/metrics', timeout=20).read()))"
    day.place.run(sys.executable, "-c", fetch)


def garbage(day: Day) -> None:
    """Send the port what is no PPTP, or nothing at all."""
    say = "import os, socket; s = socket.create_connection(('192.0.2.1', 1723)); s.send(os.urandom({0})); s.close()"
    day.place.run(sys.executable, "-c", say.format(day.dice.choice((0, 1, 156, 4000))), check=False)


def cut(day: Day) -> None:
    """Take the network away for as long as sessions may or may not survive."""
    day.place.ip("link", "set", "wan", "down")
    time.sleep(day.dice.uniform(0.5, 12.0))
    day.place.ip("link", "set", "wan", "up")


def restart(day: Day) -> None:
    """Kill the gateway or ask it to go, and start another one."""
    day.end(day.dice.choice((signal.SIGKILL, signal.SIGTERM)))
    day.start()


USUAL: tuple[Callable[[Day], None], ...] = (reload, change_users, disconnect, look, scrape, garbage, cut)


def live(day: Day, seconds: float, kills: float) -> None:
    """Do one thing after another until the time is over; `kills`: the share of it in which the gateway may die."""
    began = minute = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        dying = now < began + seconds * kills
        act = day.dice.choice((*USUAL, restart, restart) if dying else USUAL)
        act(day)
        day.done[act.__name__] += 1
        if not dying and now >= minute + 60.0:
            minute = now
            day.memory.append(day.resident())
            print(
                f"  {now - began:6.0f} s  {day.memory[-1]:8} KiB  {day.descriptors().total()} descriptors", flush=True
            )
        time.sleep(day.dice.uniform(0.0, 4.0))


def judge_quiet(day: Day, before: Counter[str]) -> None:
    """Nobody is on: the gateway that lives may hold no more than it did before its first client."""
    with contextlib.suppress(SystemExit):
        until(lambda: json.loads(day.expect("sessions", "--json")) == [], "", QUIET)
        until(lambda: not extra(day, before), "", QUIET)
    if left := json.loads(day.expect("sessions", "--json")):
        day.problems.append(f"{len(left)} sessions are still there without a client")
    if more := extra(day, before):
        day.problems.append(f"open, and was not before the first client: {more}")


def extra(day: Day, before: Counter[str]) -> dict[str, int]:
    """What is open and was not; the database's connections are a pool, made as they are needed."""
    return {name: n for name, n in (day.descriptors() - before).items() if not name.startswith("holdfast.db")}


def judge_books(day: Day) -> None:
    """The gateway is gone: read its database, its log and its output."""
    with contextlib.closing(sqlite3.connect(f"file:{day.state / 'holdfast.db'}?mode=ro", uri=True)) as database:
        for table, condition in (("sessions", "1"), ("leases", "session IS NOT NULL"), ("user_changes", "1")):
            (count,) = database.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
            if count:
                day.problems.append(f"{count} rows are left in {table}")
    day.expect("events", "verify")
    records = [
        json.loads(line)
        for line in day.expect("events", "--json", "--severity", "info", "--limit", "0").splitlines()
        if line.startswith("{")
    ]
    ends = Counter(record["session"] for record in records if record["event"] == "TEARDOWN")
    up = {record["session"] for record in records if record["event"] == "IP_UP"}
    day.done["sessions"] = len(up)
    day.problems += [f"session {session} was up and has no end" for session in sorted(up - set(ends))]
    day.problems += [f"session {session} has {count} ends" for session, count in ends.items() if count > 1]
    day.problems += [f"{record['event']}: {record}" for record in records if record["event"] == "INTERNAL_FAULT"]
    if "Traceback" in (day.directory / "gateway.log").read_text():
        day.problems.append(f"a traceback: {(day.directory / 'gateway.log').read_text()[-2000:]}")


def run(directory: Path, seconds: float, seed: int, count: int = 12, kills: float = 1 / 3) -> Day:
    """Do the whole thing."""
    with namespace("unrest-gateway") as near, namespace("unrest-clients") as far:
        join(near, f"{GATEWAY_OUTER}/24", far, f"{CLIENT_OUTER}/24", label="wan")
        day = Day(near, directory, random.Random(seed))
        names = "".join(f'"{name_of(number)}" pptpd "{PASSWORD}" *\n' for number in range(NAMES))
        (directory / "chap-secrets").write_text(names)
        (directory / "chap-secrets").chmod(0o600)
        day.configure(0)
        before = day.picture()
        try:
            day.start()
            descriptors = day.descriptors()
            with clients(far, count, seed, NAMES) as crowd:
                live(day, seconds, kills)
                crowd.communicate("stop\n", timeout=120)
            judge_quiet(day, descriptors)
            day.end(signal.SIGTERM)
            after = day.picture()
            day.problems += [
                f"left on the host: {name}\n{after[name]}" for name in before if before[name] != after[name]
            ]
            judge_books(day)
        finally:
            if day.gateway is not None:
                day.end(signal.SIGKILL)
    return day


def main(arguments: list[str] | None = None) -> int:
    """Run, judge, print."""
    parser = argparse.ArgumentParser(prog="bench.unrest", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=12, help="sessions at a time")
    parser.add_argument("--kills", type=float, default=1 / 3, help="the share of the time in which the gateway may die")
    parser.add_argument("--keep", type=Path, help="an empty directory for what is written, kept afterwards")
    options = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        made = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-unrest-"))
        day = run(Path(made), options.seconds, options.seed, options.clients, options.kills)
    print(", ".join(f"{name} {count}" for name, count in sorted(day.done.items())))
    print("\n".join(day.problems) or "nothing was left")
    return 1 if day.problems else 0


if __name__ == "__main__":
    sys.exit(main())
