"""Somebody reloads the firewall of a gateway's or a dialer's host: what was ours stands again, and it is told."""

import json
import subprocess
from typing import Any

import pytest

from lab.network import Namespace
from support.engine_lab import wait_until
from support.gateway_lab import BEYOND, INSIDE, GatewayLab

pytestmark = pytest.mark.root
PATIENCE = 30
FILTERS = {"filters.pings": {"rules": [f"allow {BEYOND} icmp"]}, "limits": {"filter": "pings"}}


def listed(place: Namespace, family: str, table: str) -> list[dict[str, Any]]:
    """What stands in a table; nothing when it is not there."""
    command = place.wrap("nft", "-j", "list", "table", family, table)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["nftables"] if done.returncode == 0 else []


def bare(place: Namespace, family: str, table: str) -> list[str]:
    """The same without what differs each time it is made: handles and counts."""
    texts = place.run("nft", "-s", "list", "table", family, table, check=False)
    return texts.splitlines()


def stands(place: Namespace, family: str, table: str, before: list[str]) -> bool:
    return bare(place, family, table) == before


def test_a_flush_takes_neither_nat_nor_the_filter_of_a_session_for_long(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve(**FILTERS)
    lab.dial("192.0.2.1", "--network", f"{INSIDE}/32").wait_up()
    wait_until(lambda: lab.pings(BEYOND), PATIENCE)
    whole = bare(lab.gateway, "inet", "holdfast")
    assert "masquerade" in "".join(whole)
    assert "10.77.0." in "".join(whole)
    lab.gateway.run("nft", "flush", "ruleset")
    wait_until(lambda: stands(lab.gateway, "inet", "holdfast", whole), PATIENCE)
    told = gateway.wait_event("FIREWALL_LOST")
    assert (told["severity"], told["purpose"], told["restored"]) == ("warning", "gateway", True)
    assert (told["table"], told["missing"]) == ("inet holdfast", "the whole table")
    assert told["open_seconds"] > 0
    assert any(program.startswith("nft (") for program in told["programs"])
    assert lab.pings(BEYOND)
    assert not lab.pings(INSIDE, patience=1), "the filter holds"
    gateway.stop()
    assert lab.picture() == before
