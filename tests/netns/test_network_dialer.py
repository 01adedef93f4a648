"""The dialer's plans, made for real in a namespace: routes, rules, the kill switch."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network import Namespace, join, namespace
from support.dialling import reaches

pytestmark = pytest.mark.root
HEAD = """
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from holdfast.dialer import kill_switch, routes
from holdfast.dialer.addresses import HostView
from holdfast.dialer.settings import FullMethod, RouteMode, RouteSettings
from holdfast.network.host import HostNetwork
from holdfast.network.kernel import Kernel
from holdfast.network.netlink import Netlink

host = HostNetwork(Path(sys.argv[1]))
inside = routes.Inside("pptp0", IPv4Address("10.77.0.10"), "10.77.0.1", 1396, IPv4Address("198.51.100.5"))
def plan(**settings):
    outside = Netlink().route_to(str(inside.server))
    return routes.plan(RouteSettings(**settings), inside, outside, HostView())
"""


@pytest.fixture
def place() -> Iterator[Namespace]:
    """A host with an uplink to a neighbour, which holds the server's address, and a TUN."""
    with namespace("dialnet") as made, namespace("dialup") as neighbour:
        join(made, "192.0.2.2/24", neighbour, "192.0.2.1/24", label="up0")
        neighbour.ip("address", "add", "198.51.100.5/32", "dev", "lo")
        neighbour.ip("address", "add", "198.51.100.6/32", "dev", "lo")
        made.ip("route", "add", "default", "via", "192.0.2.1")
        made.ip("tuntap", "add", "mode", "tun", "pptp0")
        yield made


def run(place: Namespace, tmp_path: Path, script: str) -> str:
    command = place.wrap(sys.executable, "-c", HEAD + script, str(tmp_path / "state"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def made_by_hand(place: Namespace) -> list[str]:
    """Routes and rules, but for those that the kernel makes by itself when it finds that a link is up."""
    listed = (place.ip("route"), place.ip("-6", "route"), place.ip("rule"))
    return [line for text in listed for line in text.splitlines() if "proto kernel" not in line]


def way(place: Namespace, destination: str, *more: str) -> str:
    found = json.loads(place.ip("-j", "route", "get", destination, *more))[0]
    return f"{found['dev']} {found.get('gateway', '')}".strip()


@pytest.mark.parametrize("method", ["HALVES", "RULES"])
def test_everything_but_the_server_goes_through_the_tunnel(place: Namespace, tmp_path: Path, method: str) -> None:
    routes_before = made_by_hand(place)
    run(place, tmp_path, f"host.apply(plan(mode=RouteMode.FULL, method=FullMethod.{method}).changes)")
    assert way(place, "8.8.8.8") == "pptp0"
    assert way(place, "203.0.113.9") == "pptp0"
    assert way(place, "198.51.100.5") == "up0 192.0.2.1"
    assert way(place, "192.0.2.77") == "up0"
    refused = subprocess.run(["ip", "-n", place.name, "route", "get", "2001:db8::1"], capture_output=True, check=False)
    assert refused.returncode != 0
    run(place, tmp_path, "host.recover()")
    place.ip("link", "set", "pptp0", "down")
    assert made_by_hand(place) == routes_before


def test_selected_traffic_only(place: Namespace, tmp_path: Path) -> None:
    rules = place.ip("rule")
    script = "host.apply(plan(marks=(100,), user_ids=(4321,), sources=(IPv4Network('192.0.2.2/32'),)).changes)"
    run(place, tmp_path, script)
    assert way(place, "8.8.8.8", "mark", "100") == "pptp0"
    assert way(place, "8.8.8.8", "mark", "101") == "up0 192.0.2.1"
    assert way(place, "8.8.8.8", "uid", "4321") == "pptp0"
    assert way(place, "8.8.8.8", "from", "192.0.2.2") == "pptp0"
    assert way(place, "198.51.100.5", "mark", "100") == "up0 192.0.2.1"
    assert way(place, "192.0.2.77", "mark", "100") == "up0"
    run(place, tmp_path, "host.recover()")
    assert place.ip("rule") == rules


def test_the_kill_switch_lets_only_pptp_to_the_server_out(place: Namespace, tmp_path: Path) -> None:
    assert reaches(place, "198.51.100.6")
    script = "host.apply([kill_switch.plan('office', 'pptp0', [inside.server], 1723)])"
    run(place, tmp_path, script)
    assert not reaches(place, "198.51.100.6", tries=1)
    assert not reaches(place, "198.51.100.5", tries=1), "to the server nothing but PPTP"
    assert connects(place, "198.51.100.5", 1723) == "refused", "the neighbour answers, so the request went out"
    assert connects(place, "198.51.100.5", 1724) == "dropped"
    assert connects(place, "198.51.100.6", 1723) == "dropped"
    run(place, tmp_path, "Kernel().nft.run(kill_switch.allow_servers('office', [IPv4Address('198.51.100.6')]))")
    assert connects(place, "198.51.100.6", 1723) == "refused"
    run(place, tmp_path, "host.recover()")
    assert reaches(place, "198.51.100.6")


def test_the_kill_switch_may_leave_networks_open(place: Namespace, tmp_path: Path) -> None:
    script = "host.apply([kill_switch.plan('office', 'pptp0', [], 1723, [IPv4Network('192.0.2.0/24')])])"
    run(place, tmp_path, script)
    assert reaches(place, "192.0.2.1")
    assert not reaches(place, "198.51.100.6", tries=1)
    run(place, tmp_path, "host.recover()")


def connects(place: Namespace, address: str, port: int) -> str:
    script = f"""
import socket
try:
    socket.create_connection(({address!r}, {port}), timeout=3)
except ConnectionRefusedError:
    print("refused")
except (TimeoutError, PermissionError):
    print("dropped")
"""
    return place.run(sys.executable, "-c", script).strip()
