"""The network that the interop tests stand in, made once for all of them.

    guest ----tap0---- access ----wan---- gateway --uplink-- internet
    192.0.2.2   192.0.2.1  198.51.100.1  .2    203.0.113.1   .80

`guest` holds the real peers. `access` routes, and hides clients with a private address (172.16.0.0/12) behind its own
address on `wan`, with the kernel's PPTP helper. `internet` serves a web page and names, and knows a way back to
203.0.113.1 only: whoever fetches the page came through the gateway and its NAT.
"""

import hashlib
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import network
from lab.guest import Guest, Nic
from lab.image import Image
from lab.network import Namespace
from support.patience import until

GUEST_ADDRESS = "192.0.2.2"
SECOND_GUEST_ADDRESS = "192.0.2.130"
ACCESS_WAN_ADDRESS = "198.51.100.1"
GATEWAY_ADDRESS = "198.51.100.2"
GATEWAY_UP_ADDRESS = "203.0.113.1"
SERVER_ADDRESS = "203.0.113.80"
SERVER_NAME = "page.test"
DOCUMENT = "document"
SMALL_DOCUMENT = "small"
SIZES = {DOCUMENT: 600_000, SMALL_DOCUMENT: 60_000}
PRIVATE_CLIENTS = "172.16.0.0/12"

ROUTER_RULES = f"""
table ip router {{
  ct helper pptp {{ type "pptp" protocol tcp; l3proto ip; }}
  chain helped {{
    type filter hook prerouting priority filter;
    ip saddr {PRIVATE_CLIENTS} tcp dport 1723 ct helper set "pptp"
  }}
  chain hidden {{
    type nat hook postrouting priority srcnat;
    oifname "wan" ip saddr {PRIVATE_CLIENTS} masquerade
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class World:
    """The namespaces, the guest, and the web server's files."""

    image: Image
    directory: Path
    access: Namespace
    gateway: Namespace
    internet: Namespace
    guest: Guest
    digests: dict[str, str]

    @property
    def visitors(self) -> str:
        """The web server's log: one line a request, which begins with the visitor's address."""
        return (self.directory / "internet.log").read_text(encoding="utf-8")

    @contextmanager
    def second_guest(self) -> Iterator[Guest]:
        """Boot one more guest beside the first, for a test that ends it roughly."""
        self.access.add_tap("tap1", "192.0.2.129/30")
        try:
            nic = Nic("tap1", f"{SECOND_GUEST_ADDRESS}/30", "192.0.2.129")
            with Guest(self.image, self.access, self.directory / "second", nic) as guest:
                yield guest
        finally:
            self.access.ip("link", "delete", "tap1")


@contextmanager
def world(image: Image, directory: Path) -> Iterator[World]:
    """Make the network, boot the guest, serve the page; take everything down again."""
    network.remove_abandoned()
    with (
        network.namespace("access") as access,
        network.namespace("gateway") as gateway,
        network.namespace("internet") as internet,
    ):
        _wire(access, gateway, internet)
        digests = _write_documents(directory / "www")
        with (
            _internet(internet, directory),
            Guest(image, access, directory / "guest", Nic("tap0", f"{GUEST_ADDRESS}/25", "192.0.2.1")) as guest,
        ):
            yield World(image, directory, access, gateway, internet, guest, digests)


def _wire(access: Namespace, gateway: Namespace, internet: Namespace) -> None:
    access.add_tap("tap0", "192.0.2.1/25")
    network.join(access, f"{ACCESS_WAN_ADDRESS}/24", gateway, f"{GATEWAY_ADDRESS}/24", label="wan")
    network.join(gateway, f"{GATEWAY_UP_ADDRESS}/24", internet, f"{SERVER_ADDRESS}/24", label="uplink")
    access.sysctl("net.ipv4.ip_forward", "1")
    access.ip("route", "add", PRIVATE_CLIENTS, "via", GUEST_ADDRESS)
    access.run("nft", "-f", "-", input=ROUTER_RULES)
    gateway.ip("route", "add", "192.0.2.0/24", "via", ACCESS_WAN_ADDRESS)


def _write_documents(directory: Path) -> dict[str, str]:
    """Write what the web server serves; return each document's SHA-256 by its name."""
    directory.mkdir()
    noise = random.Random(2637)
    contents = {name: noise.randbytes(size) for name, size in SIZES.items()}
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


@contextmanager
def _internet(internet: Namespace, directory: Path) -> Iterator[None]:
    """Run the page and name server of `lab_internet`."""
    program = Path(__file__).with_name("lab_internet.py")
    with (directory / "internet.log").open("wb") as log:
        process = internet.start(
            sys.executable, program, SERVER_ADDRESS, directory / "www", stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        listening = (f"{SERVER_ADDRESS}:53", f"{SERVER_ADDRESS}:80")
        until(
            lambda: all(one in internet.run("ss", "-ltun") for one in listening),
            20,
            (directory / "internet.log").read_text,
        )
        yield
    finally:
        process.kill()
        process.wait()
