"""`holdfast doctor` on hosts with real rules, and against a real gateway behind a router that drops what it is told."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.advise.read_host import HostReader
from lab.network import Namespace, join, namespace
from support.dialling import GATEWAY, HOLDFAST, DialWorld, dial_world

pytestmark = pytest.mark.root
DOCTOR = (*HOLDFAST, "doctor", "--json", "--role")
NAT = (
    "add table ip n; add chain ip n p { type nat hook postrouting priority 100; }; "
    "add rule ip n p oifname uplink masquerade"
)
HELPER = (
    'add table ip h; add ct helper ip h pptp { type "pptp" protocol tcp; }; '
    "add chain ip h pre { type filter hook prerouting priority -150; }; "
    'add rule ip h pre tcp dport 1723 ct helper set "pptp"'
)


def examined(place: Namespace, role: str, *options: str) -> dict[str, str]:
    """Run the doctor in a namespace and return its verdicts by check."""
    told: dict[str, Any] = json.loads(place.run(*DOCTOR, role, *options, check=False, timeout=250))
    return {check["id"]: check["verdict"] for check in told["checks"]}


@pytest.fixture
def host() -> Iterator[Namespace]:
    """A host with a public address, a default route and a port that is listened on by somebody."""
    with namespace("host") as made, namespace("beyond") as beyond:
        join(made, "198.51.100.2/24", beyond, "198.51.100.1/24", label="uplink")
        made.ip("route", "add", "default", "via", "198.51.100.1")
        made.sysctl("net.ipv4.ip_forward", "1")
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    with dial_world(tmp_path_factory.mktemp("examined")) as made:
        made.serve()
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> DialWorld:
    shared.folder = tmp_path
    shared.repair()
    return shared


def test_rules_that_are_in_the_way_of_a_server(host: Namespace) -> None:
    host.run("nft", NAT)
    well = examined(host, "server")
    assert {name for name, verdict in well.items() if verdict == "fault"} == {"listener"}
    assert well["nat"] == well["firewall-input-gre"] == well["conntrack-helper"] == "ok"
    host.run(
        "nft",
        "flush ruleset; add table inet f; add chain inet f i { type filter hook input priority 0; policy drop; }; "
        "add rule inet f i tcp dport { 22, 1723 } accept; add rule inet f i ct state vmap { established : accept }; "
        'add chain inet f w { type filter hook forward priority 0; }; add rule inet f w iifname "holdfast*" drop',
    )
    host.sysctl("net.ipv4.ip_forward", "0")
    ill = examined(host, "server")
    assert ill["firewall-input-1723"] == "ok"
    assert ill["firewall-input-gre"] == ill["firewall-forward"] == "fault"
    assert ill["firewall-forward-back"] == "ok"


def test_a_gateway_that_runs_and_what_is_taken_from_it(world: DialWorld) -> None:
    well = examined(world.gateway, "server")
    assert well["listener"] == well["rights"] == well["ip-forward"] == well["nat"] == "ok"
    assert world.server is not None
    world.server.send_signal(signal.SIGSTOP)  # a gateway that runs puts its table back before anybody can look
    world.gateway.run("nft", "flush chain inet holdfast postrouting")
    world.gateway.sysctl("net.ipv4.ip_forward", "0")
    try:
        ill = examined(world.gateway, "server")
    finally:
        world.end_server()
        world.serve()
    assert ill["ip-forward"] == ill["nat"] == "fault"


def test_a_helper_needs_a_rule(host: Namespace) -> None:
    host.run("nft", NAT)
    assert examined(host, "nat-router")["conntrack-helper"] == "fault"
    host.run("nft", HELPER)
    assert examined(host, "nat-router")["conntrack-helper"] == "ok"


def test_a_client_whose_way_is_free(world: DialWorld) -> None:
    seen = examined(world.dialer, "client", "--server", GATEWAY)
    tried = ("route", "tcp-1723", "pptp-answers", "call", "gre-both-ways", "auth-method", "nat-passthrough")
    assert {name: seen[name] for name in tried} == dict.fromkeys(tried, "ok")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("meta l4proto gre drop", {"tcp-1723": "ok", "pptp-answers": "ok", "call": "ok", "gre-both-ways": "fault"}),
        ("iifname gw0 meta l4proto gre drop", {"call": "ok", "gre-both-ways": "fault"}),
        ("iifname up0 meta l4proto gre drop", {"call": "ok", "gre-both-ways": "fault", "auth-method": "ok"}),
        ("tcp dport 1723 drop", {"tcp-1723": "fault"}),
        ("tcp dport 1723 reject with tcp reset", {"tcp-1723": "fault"}),
        ("tcp sport 1723 tcp flags & psh == psh drop", {"tcp-1723": "ok", "pptp-answers": "fault"}),
    ],
)
def test_a_client_whose_way_is_not_free(world: DialWorld, rule: str, expected: dict[str, str]) -> None:
    world.cut(rule)
    seen = examined(world.dialer, "client", "--server", GATEWAY, "--patience", "6")
    assert {name: seen.get(name) for name in expected} == expected


def test_this_machine_can_be_read() -> None:
    facts = HostReader().read()
    assert facts.root
    assert any(interface.name == "lo" for interface in facts.interfaces)
