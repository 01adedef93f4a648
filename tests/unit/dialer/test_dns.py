"""Whom the tunnel's name servers are told to."""

from ipaddress import IPv4Address
from typing import Any

import pytest

from holdfast.dialer.dns import DnsPlan, plan, usable
from holdfast.dialer.settings import DnsMode, DnsSettings
from holdfast.network.files import ReplaceFile
from holdfast.network.resolved import UseResolved

OFFERED = ("10.0.0.53", "10.0.0.54")


def make(mode: DnsMode = DnsMode.AUTO, offered: tuple[str, ...] = OFFERED, **more: Any) -> DnsPlan:
    domains = more.pop("domains", ())
    return plan(DnsSettings(mode, domains), "pptp0", offered, **{"full": True, "resolved": True, **more})


def test_resolved_is_asked_for_everything_in_a_full_tunnel() -> None:
    assert make().changes == (UseResolved("pptp0", OFFERED, ("~.",)),)


def test_resolved_is_asked_for_the_domains_in_a_split_tunnel() -> None:
    made = make(full=False, domains=("corp.example",), domain="lab.example")
    assert made.changes == (UseResolved("pptp0", OFFERED, ("~corp.example", "~lab.example")),)
    assert made.servers == tuple(map(IPv4Address, OFFERED))


def test_a_split_tunnel_without_domains_leaves_names_alone() -> None:
    assert make(full=False).changes == ()
    assert make(full=False, resolved=False, domains=("corp.example",)).changes == ()


def test_resolv_conf_where_resolved_does_not_run() -> None:
    (change,) = make(resolved=False, domain="corp.example").changes
    assert isinstance(change, ReplaceFile)
    assert change.path == "/etc/resolv.conf"
    assert change.text.splitlines()[1:] == ["search corp.example", "nameserver 10.0.0.53", "nameserver 10.0.0.54"]


def test_file_asks_the_tunnel_for_all_when_told_so() -> None:
    assert isinstance(make(DnsMode.FILE, full=False, resolved=True).changes[0], ReplaceFile)


@pytest.mark.parametrize(
    ("mode", "offered"), [(DnsMode.NONE, OFFERED), (DnsMode.AUTO, ()), (DnsMode.AUTO, ("127.0.0.1",))]
)
def test_nothing_is_done_and_why_is_said(mode: DnsMode, offered: tuple[str, ...]) -> None:
    made = make(mode, offered)
    assert made.changes == ()
    assert made.why


def test_only_servers_that_can_be_asked_through_a_tunnel() -> None:
    offered = ["0.0.0.0", "127.0.0.53", "224.0.0.1", "255.255.255.255", "x", "::1", "10.0.0.1", "10.0.0.1"]
    assert usable(offered) == (IPv4Address("10.0.0.1"),)
