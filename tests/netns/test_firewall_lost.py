"""Somebody reloads the firewall of a gateway's or a dialer's host: what was ours stands again, and it is told."""

import signal
import subprocess

import pytest

from lab.network import Namespace
from support.dialling import HOLDFAST
from support.engine_lab import wait_until
from support.gateway_lab import BEYOND, INSIDE, GatewayLab

pytestmark = pytest.mark.root
PATIENCE = 30
WALLS = (("inet", "holdfast-default"), ("ip6", "holdfast-ipv6-default"))
FILTERS = {"filters.pings": {"rules": [f"allow {BEYOND} icmp"]}, "limits": {"filter": "pings"}}


def bare(place: Namespace, family: str, table: str) -> list[str]:
    """A table without what differs each time it is made, handles and counts; nothing when it is not there."""
    command = place.wrap("nft", "-s", "list", "table", family, table)
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def test_a_flush_takes_neither_nat_nor_the_filter_of_a_session_for_long(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve(**FILTERS)
    lab.dial("192.0.2.1", "--network", f"{INSIDE}/32").wait_up()
    wait_until(lambda: lab.pings(BEYOND), PATIENCE)
    whole = bare(lab.gateway, "inet", "holdfast")
    assert "masquerade" in "".join(whole)
    assert "10.77.0." in "".join(whole)
    lab.gateway.run("nft", "flush", "ruleset")
    wait_until(lambda: bare(lab.gateway, "inet", "holdfast") == whole, PATIENCE)
    told = gateway.wait_event("FIREWALL_LOST")
    assert (told["severity"], told["purpose"], told["restored"]) == ("warning", "gateway", True)
    assert (told["table"], told["missing"]) == ("inet holdfast", "the whole table")
    assert told["open_seconds"] > 0
    assert any(program.startswith("nft (") for program in told["programs"])
    assert lab.pings(BEYOND)
    assert not lab.pings(INSIDE, tries=1), "the filter holds"
    gateway.stop()
    assert lab.picture() == before


def test_a_flush_opens_neither_kill_switch_nor_ipv6_wall_for_long(lab: GatewayLab) -> None:
    gateway = lab.serve()
    before = lab.client.run("nft", "list", "ruleset")
    dialled = lab.dial("192.0.2.1", "--routes", "full", "--set", "dns=none", "--kill-switch")
    dialled.wait_up()
    whole = {table: bare(lab.client, *table) for table in WALLS}
    assert all(whole.values()), whole
    lab.client.run("nft", "flush", "ruleset")
    wait_until(lambda: {table: bare(lab.client, *table) for table in WALLS} == whole, PATIENCE)
    wait_until(lambda: len(dialled.records("FIREWALL_LOST")) == 2, PATIENCE)
    told = dialled.records("FIREWALL_LOST")
    assert {one["purpose"] for one in told} == {"kill_switch", "ipv6_wall"}
    assert {(one["severity"], one["restored"], one["missing"]) for one in told} == {("error", True, "the whole table")}
    assert lab.pings(BEYOND)

    # The tunnel goes down, the kill switch stays, and nobody opens it then either.
    gateway.stop()
    wait_until(lambda: not bare(lab.client, *WALLS[1]), PATIENCE)
    lab.client.run("nft", "add chain inet holdfast-default output { policy accept; }")
    wait_until(lambda: bare(lab.client, *WALLS[0]) == whole[WALLS[0]], PATIENCE)
    wait_until(lambda: len(dialled.records("FIREWALL_LOST")) == 3, PATIENCE)
    assert dialled.records("FIREWALL_LOST")[2]["missing"] == "the policy of chain output"
    assert not lab.pings("192.0.2.1", tries=1)
    assert dialled.stop() == 0, dialled.output()
    assert lab.client.run("nft", "list", "ruleset") == before


def test_a_kill_switch_that_was_put_back_goes_with_the_traces_of_a_killed_dialer(lab: GatewayLab) -> None:
    lab.serve()
    before = lab.client.run("nft", "list", "ruleset")
    dialled = lab.dial("192.0.2.1", "--kill-switch")
    dialled.wait_up()
    lab.client.run("nft", "flush", "ruleset")
    wait_until(lambda: dialled.records("FIREWALL_LOST"), PATIENCE)
    assert dialled.stop(signal.SIGKILL) == -9
    assert bare(lab.client, *WALLS[0])
    lab.client.run(*HOLDFAST, "dial", "--clean", "--state", dialled.state)
    assert lab.client.run("nft", "list", "ruleset") == before
