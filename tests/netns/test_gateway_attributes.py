"""What groups, users and RADIUS may say of a session, on a real host: filters, networks behind clients, rates. Root."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network import Namespace
from support.engine_lab import wait_until
from support.gateway_lab import BEYOND, INSIDE, GatewayLab, places, state_template

pytestmark = pytest.mark.root
BEHIND = "192.168.5.1"
FILTERS = {
    "filters.pings": {"rules": [f"allow {BEYOND} icmp"]},
    "filters.inside": {"rules": [f"allow {INSIDE}"]},
    "limits": {"filter": "pings"},
}


@pytest.fixture(scope="module")
def namespaces() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """Made once."""
    with places() as made:
        yield made


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with users."""
    return state_template(tmp_path_factory.mktemp("state"))


@pytest.fixture
def lab(namespaces: tuple[Namespace, Namespace, Namespace], template: Path, tmp_path: Path) -> Iterator[GatewayLab]:
    """The namespaces; what a test started ends with it."""
    made = GatewayLab(*namespaces, tmp_path, template)
    with made.running:
        yield made


def members(lab: GatewayLab) -> list[str]:
    """The addresses that stand under some filter."""
    listed = json.loads(lab.gateway.run("nft", "-j", "list", "table", "inet", "holdfast"))["nftables"]
    return [str(member) for one in listed if "set" in one for member in one["set"].get("elem", [])]


def connects(lab: GatewayLab, address: str, port: int) -> bool:
    """Whether the client gets a TCP connection there: a refusal is an answer, too."""
    code = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.5)\n"
        "except ConnectionRefusedError: pass\n"
        "except OSError: sys.exit(1)\n"
    )
    command = lab.client.wrap("python3", "-c", code, address, str(port))
    return subprocess.run(command, check=False).returncode == 0


def test_a_filter_decides_what_a_client_reaches_and_goes_with_it(lab: GatewayLab) -> None:
    gateway = lab.serve(**FILTERS)
    client = lab.dial("192.0.2.1", "--network", f"{INSIDE}/32")
    gateway.wait_event("IP_UP")
    wait_until(lambda: lab.pings(BEYOND), 20)
    assert len(members(lab)) == 1
    assert not connects(lab, BEYOND, 81)
    assert not connects(lab, INSIDE, 81)
    assert not lab.pings(INSIDE, patience=1)
    client.stop()
    wait_until(lambda: not members(lab), 10)


def test_without_a_filter_the_same_is_reached(lab: GatewayLab) -> None:
    gateway = lab.serve(**{**FILTERS, "limits": {}})
    lab.dial("192.0.2.1", "--network", f"{INSIDE}/32")
    gateway.wait_event("IP_UP")
    wait_until(lambda: lab.pings(BEYOND), 20)
    assert connects(lab, BEYOND, 81)
    assert lab.pings(INSIDE)


def test_a_network_behind_the_client_is_reached_and_its_route_goes_also_after_a_kill(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve()
    gateway.command("user", "set", "alice", "routes=192.168.5.0/24")
    lab.client.ip("address", "add", f"{BEHIND}/24", "dev", "lo")
    try:
        client = lab.dial()
        gateway.wait_event("IP_UP")
        wait_until(lambda: lab.pings(BEHIND, lab.gateway), 20)
        assert "192.168.5.0/24 dev holdfast0" in lab.gateway.ip("route")
        answered = lab.client.wrap("ping", "-c1", "-W2", "-I", BEHIND, BEYOND)
        assert subprocess.run(answered, capture_output=True, check=False).returncode == 0
        client.stop()
        wait_until(lambda: "192.168.5.0/24" not in lab.gateway.ip("route"), 10)
        lab.dial()
        gateway.wait_event("IP_UP", count=2)
        wait_until(lambda: "192.168.5.0/24" in lab.gateway.ip("route"), 10)
        gateway.kill()
        gateway.start()
        assert "192.168.5.0/24" not in lab.gateway.ip("route")
        gateway.stop()
    finally:
        lab.client.ip("address", "del", f"{BEHIND}/24", "dev", "lo")
    assert lab.picture()["routes"] == before["routes"]


def test_a_rate_holds_back_what_is_beyond_it(lab: GatewayLab) -> None:
    gateway = lab.serve(limits={"rate_up": 400_000})
    lab.dial()
    gateway.wait_event("IP_UP")
    wait_until(lambda: lab.pings(BEYOND), 20)
    # 100 pings of 1028 octets at once are 82 kbit; a quarter of a second's worth is 12 of them
    flood = lab.client.wrap("ping", "-c100", "-i0.002", "-s1000", "-W1", BEYOND)
    said = subprocess.run(flood, capture_output=True, text=True, check=False).stdout
    came = int(said.partition(" received")[0].rpartition(" ")[2])
    assert 10 <= came <= 90, said
    (session,) = gateway.ask("sessions")
    assert session["address"]
