"""A dialer, a router and a gateway in namespaces: everything that can go wrong between the first and the last.

    dialer == up0, up1 == router == gw0 == [relay ==] gateway

The router forwards, and cuts what it is told to; a relay, where one is asked for, makes the weather. Needs root.
"""

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.dialer.service import statuses
from lab.network import Namespace, join, namespace
from support.lab_gateway import answers
from support.logs import so_far
from support.patience import patient, until
from support.relay import Relay, relay

GATEWAY = "198.51.100.1"
PASSWORD = "correct horse battery"
INNER_GATEWAY = "10.77.0.1"
HOLDFAST = (sys.executable, "-m", "holdfast.cli.main")
FAST = ("--set", "echo_interval=1.0", "--set", "echo_failures=3", "--set", "retry_spread=1.0", "--set", "retry_max=2")


@dataclass
class DialProcess:
    """A running `holdfast dial`."""

    process: "subprocess.Popen[bytes]"
    state: Path
    log: Path
    password: str

    def status(self) -> dict[str, Any]:
        """Return its status, empty when it does not answer."""
        found = statuses(self.state)
        return found[0] if found else {}

    def records(self, event: str = "") -> list[dict[str, Any]]:
        """Return what is in its event log."""
        found = so_far(self.state / "dial" / "default" / "events.jsonl")
        return [record for record in found if not event or record["event"] == event]

    def ups(self) -> int:
        """Return how often it came up."""
        return sum(record["phase"] == "host" for record in self.records("DIAL_PHASE"))

    def ends(self) -> list[str]:
        """Return the reasons of the sessions that ended."""
        return [record["reason"] for record in self.records("TEARDOWN")]

    def wait_up(self, times: int = 1, patience: float = 40.0) -> float:
        """Wait until it came up so often; return the seconds that took."""
        return wait(lambda: self._is_up(times), patience, self.output)

    def _is_up(self, times: int) -> bool:
        ended = self.process.poll() is not None
        if self.ups() >= times:
            return True
        assert not ended, f"it ended ({self.process.returncode}) before it was up:\n{self.output()}"
        return False

    def output(self) -> str:
        """Return what it printed."""
        return self.log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.exit_code(10)
        self._check_secrets()
        return code

    def exit_code(self, patience: float = 15) -> int:
        """Wait until it ends by itself; return its exit code."""
        return self.process.wait(patient(patience))

    def _check_secrets(self) -> None:
        """The password may stand in nothing that it wrote."""
        written = [self.log, *self.state.glob("dial/*/events*.jsonl")]
        texts = "".join(path.read_text(errors="replace") for path in written if path.is_file())
        assert self.password not in texts, "the password was written in clear"


def start(
    place: Namespace, folder: Path, host: str, *options: str, password: str, wrap: tuple[str, ...] = ()
) -> DialProcess:
    """Start `holdfast dial` as alice in a namespace; state and output go below `folder`."""
    state, log = folder / "d", folder / f"dial{len(list(folder.glob('dial*.log')))}.log"
    command = (*wrap, *HOLDFAST, "dial", host, "--user", "alice", "--password-stdin", "--state", state, *options)
    with log.open("wb") as output:
        process = place.start(*command, stdin=subprocess.PIPE, stdout=output, stderr=output)
    assert process.stdin is not None
    process.stdin.write(password.encode() + b"\n")
    process.stdin.close()
    return DialProcess(process, state, log, password)


@dataclass
class DialWorld:
    """The three namespaces, and what runs in them."""

    dialer: Namespace
    router: Namespace
    gateway: Namespace
    folder: Path
    """Where dialers keep what is theirs; a test may set another one."""
    home: Path
    """Where the gateway keeps what is its own."""
    server: "subprocess.Popen[bytes] | None" = None
    dialled: list[DialProcess] = field(default_factory=list)
    relay: Relay | None = None

    @property
    def weather(self) -> Relay:
        """The relay of a world that has one."""
        assert self.relay is not None
        return self.relay

    def serve(self, **sections: str) -> None:
        """Start the gateway and wait until it listens for clients and for operators."""
        config = self.home / "gateway.toml"
        config.write_text("\n".join(f"[{name}]\n{text}" for name, text in sections.items()))
        state = self.home / "gateway"
        if not state.exists():
            shutil.copytree(_with_alice(self.home.parent), state)
        with (self.home / "gateway.log").open("ab") as log:
            command = (*HOLDFAST, "serve", "--state", state, "--config", config)
            self.server = self.gateway.start(*command, stdout=log, stderr=log)
        wait(lambda: self._serves(state), 60, (self.home / "gateway.log").read_text)

    def _serves(self, state: Path) -> bool:
        assert self.server is not None
        assert self.server.poll() is None, (self.home / "gateway.log").read_text()
        return "1723" in self.gateway.run("ss", "-ltn") and answers(state)

    def end_server(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the gateway."""
        if self.server is not None:
            self.server.send_signal(number)
            self.server.wait(patient(10))
            self.server = None

    def dial(
        self, *options: str, host: str = GATEWAY, password: str = PASSWORD, wrap: tuple[str, ...] = ()
    ) -> DialProcess:
        """Start a dialer."""
        made = start(self.dialer, self.folder, host, *FAST, *options, password=password, wrap=wrap)
        self.dialled.append(made)
        return made

    def cut(self, *matches: str) -> None:
        """Let the router drop what matches (nftables); replaces what was cut before."""
        self.heal()
        self.router.run("nft", "add table ip cut; add chain ip cut forward { type filter hook forward priority -10; }")
        for match in matches:
            self.router.run("nft", f"add rule ip cut forward {match}")

    def heal(self) -> None:
        """Let the router forward everything again."""
        self.router.run("nft", "delete table ip cut", check=False)

    def repair(self) -> None:
        """Make links, addresses, default routes and the weather what they are at the start."""
        self.heal()
        if self.relay is not None:
            self.relay.set()
        self.gateway.run("nft", "flush", "table", "ip", "mute", check=False)
        for place, link, address in (
            (self.dialer, "up0", "192.0.2.2/24"),
            (self.dialer, "up1", "203.0.113.2/24"),
            (self.gateway, "gw0", f"{GATEWAY}/24"),
        ):
            place.ip("address", "flush", "dev", link, "scope", "global")
            place.ip("address", "add", address, "dev", link)
            place.ip("link", "set", link, "up")
        self.dialer.ip("route", "flush", "table", "main", "proto", "boot")
        self.gateway.ip("route", "replace", "default", "via", "198.51.100.254")
        self.dialer.ip("route", "replace", "default", "via", "192.0.2.1", "metric", "100")

    def end_dialers(self) -> None:
        """Kill what still dials, and have the traces of what was killed undone."""
        for one in self.dialled:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                one.process.kill()
                one.process.wait(patient(5))
            # One that ended by itself leaves nothing, whatever its exit code.
            if (one.process.returncode or 0) < 0:
                self.dialer.run(*HOLDFAST, "dial", "--clean", "--state", one.state)
        self.dialled.clear()

    def pings(self, address: str = INNER_GATEWAY) -> bool:
        """Whether the dialer's host reaches an address: asked again and again, since a busy machine is slow."""
        return reaches(self.dialer, address)

    def is_cut_off(self, address: str) -> bool:
        """Whether an address gives no answer to the dialer's host."""
        return not reaches(self.dialer, address, tries=1)

    def picture(self) -> dict[str, str]:
        """Everything of the dialer's host that a tunnel may touch. IPv6 addresses settle by themselves: left out."""
        commands = {
            "addresses": ("ip", "-4", "-o", "addr"),
            "links": ("ip", "-br", "link"),
            "routes": ("ip", "-4", "route", "show", "table", "all"),
            "routes6": ("ip", "-6", "route", "show", "type", "unreachable"),
            "rules": ("ip", "rule"),
            "firewall": ("nft", "list", "ruleset"),
        }
        return {name: self.dialer.run(*command) for name, command in commands.items()}


def _with_alice(folder: Path) -> Path:
    """Return a state directory to copy from, made once in a folder that the worlds of a test run share."""
    state = folder / "with-alice"
    if not state.exists():
        draft = folder / "with-alice.draft"
        add = [*HOLDFAST, "user", "add", "alice", "--password-stdin", "--state", str(draft)]
        subprocess.run(add, input=PASSWORD + "\n", text=True, check=True, capture_output=True)
        draft.rename(state)
    return state


@contextmanager
def dial_world(folder: Path, *, weather: bool = False) -> Iterator[DialWorld]:
    """Make the namespaces, with `weather` a relay too, and end everything with the block."""
    with ExitStack() as stack:
        dialer, router, gateway = (stack.enter_context(namespace(name)) for name in ("dialer", "router", "server"))
        join(dialer, "192.0.2.2/24", router, "192.0.2.1/24", label="up0")
        join(dialer, "203.0.113.2/24", router, "203.0.113.1/24", label="up1")
        ends = ((router, "198.51.100.254/24"), (gateway, f"{GATEWAY}/24"))
        made = DialWorld(dialer, router, gateway, folder, folder)
        if weather:
            wire = stack.enter_context(namespace("wire"))
            made.relay = stack.enter_context(relay(wire, ends, "gw0"))
        else:
            join(*ends[0], *ends[1], label="gw0")
        router.sysctl("net.ipv4.ip_forward", "1")
        made.repair()
        try:
            yield made
        finally:
            made.end_dialers()
            made.end_server()


def reaches(place: Namespace, address: str, *options: str, tries: int = 15) -> bool:
    """Whether an address answers a ping from a namespace; each try waits for two seconds."""
    command = place.wrap("ping", "-c1", "-W2", *options, address)
    return any(subprocess.run(command, capture_output=True, check=False).returncode == 0 for _ in range(tries))


def has_traffic(dialled: DialProcess) -> bool:
    """Whether user traffic has been seen in the tunnel."""
    phases = dialled.status().get("phases", ())
    return bool(phases) and phases[-1]["phase"] == "traffic"


def wait(condition: Callable[[], bool], patience: float, story: Callable[[], str]) -> float:
    """Wait for something; return the seconds that took, fail with the story when it does not come."""
    return until(condition, patience, story)
