"""Accounting under kills: RADIUS and the gateway die at random while clients come and go; then both sides are compared.

`python -m bench.ordeal [--seconds 600] [--seed N]` (`make soak`). One namespace has `holdfast serve` and a FreeRADIUS
that accounts into SQLite with its own schema and queries; the other has clients, each session under a name of its own
(`bench.ordeal_clients`). Either server is killed with SIGKILL, both at once now and then, and comes back after a while.
In the end the records that FreeRADIUS has must be those of the sessions that clients had: none lost, none doubled.
Needs root and the Debian packages freeradius and freeradius-config. Exit code 1 when the books differ.
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.demo import HOLDFAST, until
from bench.ordeal_books import Books, compare, summary
from lab.network import Namespace, join, namespace
from tests.support import freeradius

GATEWAY_OUTER, CLIENT_OUTER, GATEWAY_INNER = "192.0.2.1", "192.0.2.2", "10.64.0.1"
PORTS = (1812, 1813)
USERS = 4000
PASSWORD = "ordeal"
LEAST_KILLS = 2
"""Of each, however slow the machine is."""
DRAIN_SECONDS = 90.0
"""How long the records that wait may take when both are back."""
FOR_A_CROWD = """
gateway.listen = ["{outer}"]
addresses.gateway = "{inner}"
addresses.pool = ["10.64.0.10-10.64.3.250"]
addresses.dns = ["{inner}"]
users.chap_secrets = "{directory}/chap-secrets"
admission.flaps = 0
limits.half_open = 0
"""
CONFIG = """
addresses.nat = false
timeouts.accounting_interval = 2.0
radius.accounting_servers = ["127.0.0.1:{port}"]
radius.secrets_file = "{directory}/radius.secrets"
radius.timeout = 1.0
log.level = "info"
"""


@dataclass
class Scene:
    """The two servers of one run, each of which may be dead."""

    place: Namespace
    directory: Path
    radius: "subprocess.Popen[bytes] | None" = None
    gateway: "subprocess.Popen[bytes] | None" = None
    kills: dict[str, int] = field(default_factory=lambda: {"radius": 0, "gateway": 0})

    @property
    def state(self) -> Path:
        """The gateway's state directory."""
        return self.directory / "state"

    def prepare(self) -> None:
        """Write what both need."""
        secrets = self.directory / "radius.secrets"
        secrets.write_text(f"127.0.0.1 {freeradius.SECRET}\n")
        secrets.chmod(0o600)
        names = "".join(f'"{name_of(number)}" pptpd "{PASSWORD}" *\n' for number in range(USERS))
        chap = self.directory / "chap-secrets"
        chap.write_text(names)
        chap.chmod(0o600)
        configure(self.directory, CONFIG.format(directory=self.directory, port=PORTS[1]))
        freeradius.configure(self.directory / "radius", PORTS, sql=True)

    def start_radius(self) -> None:
        """Let FreeRADIUS serve."""
        if self.radius is None:
            self.radius = freeradius.start(self.directory / "radius", tuple(self.place.wrap()))

    def start_gateway(self) -> None:
        """Let the gateway serve."""
        if self.gateway is None:
            (self.state / "control.sock").unlink(missing_ok=True)
            arguments = ("serve", "--state", self.state, "--config", self.directory / "config.toml")
            with (self.directory / "gateway.log").open("ab") as output:
                gateway = self.gateway = self.place.start(HOLDFAST, *arguments, stdout=output, stderr=output)
            until(lambda: self._serves(gateway), "the gateway did not come up", 180)

    def _serves(self, gateway: "subprocess.Popen[bytes]") -> bool:
        if gateway.poll() is not None:
            raise SystemExit(f"the gateway ended:\n{(self.directory / 'gateway.log').read_text()[-3000:]}")
        return (self.state / "control.sock").exists()

    def kill(self, which: str) -> None:
        """SIGKILL one of the two."""
        process: subprocess.Popen[bytes] | None = getattr(self, which)
        if process is not None:
            process.kill()
            process.wait()
            setattr(self, which, None)
            self.kills[which] += 1

    def waiting(self) -> int:
        """Return how many records wait on disk."""
        with contextlib.closing(sqlite3.connect(f"file:{self.state / 'accounting.db'}?mode=ro", uri=True)) as queue:
            return int(queue.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def end(self) -> None:
        """Stop the gateway as an operator does, then FreeRADIUS."""
        for process in (self.gateway, self.radius):
            if process is not None:
                process.send_signal(signal.SIGTERM)
                process.wait(120)
        self.gateway = self.radius = None

    def abandon(self) -> None:
        """Leave nothing that runs."""
        for process in (self.gateway, self.radius):
            if process is not None:
                process.kill()
                process.wait()


def name_of(number: int) -> str:
    """Return the user name of the session with this number."""
    return f"u{number:05}"


def configure(directory: Path, more: str) -> None:
    """Write the configuration of a gateway for a crowd of `bench.ordeal_clients`; `more`: dotted keys besides."""
    places = {"outer": GATEWAY_OUTER, "inner": GATEWAY_INNER, "directory": directory}
    (directory / "config.toml").write_text(FOR_A_CROWD.format(**places) + more)


def torment(scene: Scene, seconds: float, dice: random.Random) -> None:
    """Kill and revive until the time is over; both live at the end."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 or min(scene.kills.values()) < LEAST_KILLS:
        time.sleep(min(max(left, 1.0), dice.uniform(1.0, 5.0)))
        victims = dice.choice((("radius",), ("gateway",), ("radius", "gateway"), ("gateway", "radius")))
        for victim in victims:
            scene.kill(victim)
            time.sleep(dice.choice((0.0, 0.0, dice.uniform(0.0, 4.0))))
        for victim in dice.sample(victims, len(victims)):
            (scene.start_radius if victim == "radius" else scene.start_gateway)()


@contextlib.contextmanager
def clients(place: Namespace, count: int, seed: int, names: int = 0) -> Iterator["subprocess.Popen[str]"]:
    """Run the clients; they stop when their standard input ends."""
    command = place.wrap(sys.executable, "-m", "bench.ordeal_clients", *map(str, (count, seed, names)))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def books_of(scene: Scene, sessions: list[dict[str, Any]]) -> Books:
    """Collect what everybody wrote down."""
    with contextlib.closing(sqlite3.connect(scene.directory / "radius" / "radius.db")) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM radacct ORDER BY radacctid")]
    detail = freeradius.FreeRadius(scene.directory / "radius", *PORTS).detail()
    up = []
    for line in (scene.state / "events.jsonl").read_text().splitlines():
        with contextlib.suppress(ValueError):  # cut short by a kill
            event = json.loads(line)
            if event.get("event") == "IP_UP":
                up.append(event["session"])
    return Books(sessions, rows, detail, up)


def run(directory: Path, seconds: float, seed: int, count: int = 20) -> tuple[Books, dict[str, float]]:
    """Do the whole thing; return the books and what was done."""
    dice = random.Random(seed)
    with namespace("ordeal-gateway") as near, namespace("ordeal-clients") as far:
        join(near, f"{GATEWAY_OUTER}/24", far, f"{CLIENT_OUTER}/24", label="wan")
        scene = Scene(near, directory)
        scene.prepare()
        try:
            scene.start_radius()
            scene.start_gateway()
            with clients(far, count, seed) as crowd:
                assert crowd.stdout is not None
                crowd.stdout.readline()  # somebody is up
                torment(scene, seconds, dice)
                printed, _ = crowd.communicate("stop\n", timeout=120)
            back = time.monotonic()
            until(lambda: scene.waiting() == 0, f"{scene.waiting()} records still wait", DRAIN_SECONDS)
            drained = time.monotonic() - back
            scene.end()
            books = books_of(scene, json.loads(printed.splitlines()[-1]))
        finally:
            scene.abandon()
    return books, {**scene.kills, "drained": drained}


def main(arguments: list[str] | None = None) -> int:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(prog="bench.ordeal", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=20, help="sessions at a time")
    options = parser.parse_args(arguments)
    if not freeradius.installed():
        print("needs FreeRADIUS: apt-get install freeradius")
        return 2
    with tempfile.TemporaryDirectory(prefix="holdfast-ordeal-") as directory:
        books, done = run(Path(directory), options.seconds, options.seed, options.clients)
    print(f"{options.seconds:g} s, seed {options.seed}: FreeRADIUS killed {done['radius']:g} times, ", end="")
    print(f"the gateway {done['gateway']:g} times; what waited went out in {done['drained']:.1f} s")
    print("\n".join(f"  {line}" for line in summary(books)))
    problems = compare(books)
    print("\n".join(problems) or "the books agree: none lost, none doubled, all in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
