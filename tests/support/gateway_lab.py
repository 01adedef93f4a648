"""A gateway in a namespace between its clients and a network that knows nothing of the tunnels. Needs root.

client 192.0.2.2 == 192.0.2.1, 192.0.2.7 gateway 203.0.113.1 == 203.0.113.2 beyond
"""

import contextlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.network import Namespace, join, namespace
from support.dialling import FAST, HOLDFAST, DialProcess, reaches, start
from support.lab_gateway import Gateway, Section
from support.lab_peers import USERS

FIRST, SECOND, CLIENT = "192.0.2.1", "192.0.2.7", "192.0.2.2"
BEYOND = "203.0.113.2"
INSIDE = "10.77.0.1"
METRICS = "127.0.0.1:9723"
PAGE_KIB = 4


@dataclass
class GatewayLab:
    """The three namespaces, and what a test has started in them."""

    client: Namespace
    gateway: Namespace
    beyond: Namespace
    folder: Path
    template: Path
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def serve(self, *, wrap: tuple[str, ...] = (), **sections: Section) -> Gateway:
        """Start a gateway; it listens on both addresses unless told otherwise."""
        listen = {"listen": [f"{FIRST}:1723", f"{SECOND}:1723"]}
        settings = {**sections, "gateway": {**listen, **sections.get("gateway", {})}}
        folder = self.folder / f"gateway{len(list(self.folder.glob('gateway*')))}"
        folder.mkdir()
        return self.running.enter_context(Gateway(self.gateway, folder, self.template, settings, wrap))

    def dial(self, host: str = FIRST, *options: str) -> DialProcess:
        """Start a dialer as alice."""
        # A short name: the path of a dialer's socket below it may have 107 octets, and pytest's are long.
        folder = self.folder / f"c{len(list(self.folder.glob('c?')))}"
        folder.mkdir()
        everything = (*FAST, "--network", f"{BEYOND}/32", *options)
        made = start(self.client, folder, host, *everything, password=USERS["alice"])
        self.running.callback(made.stop)
        return made

    def kill(self, dialled: DialProcess) -> None:
        """Kill a dialer, which would be back as soon as its gateway is, and undo what it left on its host."""
        assert dialled.stop(signal.SIGKILL) == -signal.SIGKILL
        self.client.run(*HOLDFAST, "dial", "--clean", "--state", dialled.state)

    def pings(self, address: str, place: Namespace | None = None, *, tries: int = 15) -> bool:
        """Whether the client (or another place) reaches an address: asked again and again, unless told otherwise."""
        return reaches(place or self.client, address, tries=tries)

    def metrics(self) -> str:
        """Return the page of a gateway that shows its metrics at `METRICS`."""
        return self.gateway.run("curl", "-s", f"http://{METRICS}/metrics")

    def picture(self) -> dict[str, Any]:
        """Everything of the gateway's host that a gateway may touch."""
        place = self.gateway
        sysctl = place.run("sh", "-c", "grep -rs . /proc/sys/net/ipv4/conf /proc/sys/net/ipv4/ip_forward")
        return {
            "addresses": [line.split()[1:4] for line in place.run("ip", "-4", "-o", "addr").splitlines()],
            "links": sorted(place.interfaces()),
            "routes": sorted(place.run("ip", "-4", "route", "show", "table", "all").splitlines()),
            "rules": place.run("ip", "rule"),
            "firewall": place.run("nft", "list", "ruleset"),
            "sysctl": sorted(line for line in sysctl.splitlines() if "/holdfast0/" not in line),
        }


@contextmanager
def places() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """Make the namespaces."""
    with namespace("client") as client, namespace("gateway") as gateway, namespace("beyond") as beyond:
        join(client, f"{CLIENT}/24", gateway, f"{FIRST}/24", label="near")
        gateway.ip("address", "add", f"{SECOND}/24", "dev", "near")
        join(gateway, "203.0.113.1/24", beyond, f"{BEYOND}/24", label="far")
        yield client, gateway, beyond


def resident_kib(pid: int) -> int:
    """Return the memory that a process has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KIB
