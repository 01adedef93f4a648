"""What goes through a tunnel."""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from holdfast.dialer.addresses import HostView
from holdfast.dialer.routes import Inside, RoutePlan, plan
from holdfast.dialer.settings import FullMethod, Ipv6Choice, RouteMode, RouteSettings
from holdfast.network.changes import AddTable
from holdfast.network.netlink import Route

INSIDE = Inside("pptp0", IPv4Address("10.77.0.10"), "10.77.0.1", 1396, IPv4Address("203.0.113.5"))
OUTSIDE = Route("203.0.113.5/32", "eth0", "192.168.1.1")
HOST = HostView(
    (IPv4Address("192.168.1.7"),), (Route("192.168.1.0/24", "eth0"), Route("0.0.0.0/0", "eth0", "192.168.1.1"))
)
ADDRESSING = ["link pptp0 up with MTU 1396", "address 10.77.0.10/32 on pptp0"]
NET = "route unreachable 203.0.113.5/32"
PIN = "route 203.0.113.5/32 via 192.168.1.1 dev eth0"


def make(inside: Inside = INSIDE, outside: Route | None = OUTSIDE, **settings: Any) -> RoutePlan:
    extra = {name: settings.pop(name) for name in ("pushed", "servers", "ipv6", "wall") if name in settings}
    if choice := settings.pop("ipv6_choice", None):
        settings["ipv6"] = choice
    return plan(RouteSettings(**settings), inside, outside, HOST, **extra)


def texts(made: RoutePlan) -> list[str]:
    return list(map(str, made.changes))


def networks(*words: str) -> tuple[IPv4Network, ...]:
    return tuple(map(IPv4Network, words))


def test_none_sets_the_address_only() -> None:
    made = make(mode=RouteMode.NONE)
    assert texts(made) == ADDRESSING
    assert made.pin is None


def test_full_by_halves_leaves_the_default_route_and_blocks_ipv6() -> None:
    made = make(mode=RouteMode.FULL)
    assert texts(made) == [
        *ADDRESSING,
        PIN,
        NET,
        "route 0.0.0.0/1 dev pptp0",
        "route 128.0.0.0/1 dev pptp0",
        "route unreachable ::/1",
        "route unreachable 8000::/1",
    ]
    assert "two halves" in " ".join(made.why)


def test_ipv6_is_walled_in_where_there_is_a_firewall_and_else_it_is_said() -> None:
    wall = AddTable("ip6", "holdfast-ipv6-office", ())
    made = make(mode=RouteMode.FULL, wall=wall)
    assert made.changes[-1] == wall
    assert "nothing leaks" in " ".join(made.why)
    assert "without nftables" in " ".join(make(mode=RouteMode.FULL).why)
    for untouched in ({"ipv6": False}, {"mode": RouteMode.SPLIT}, {"sources": networks("10.9.0.0/16")}):
        assert wall not in make(**{"mode": RouteMode.FULL, "wall": wall, **untouched}).changes
    left = plan(RouteSettings(RouteMode.FULL, ipv6=Ipv6Choice.LEAVE), INSIDE, OUTSIDE, HOST, wall=wall)
    assert wall not in left.changes


@pytest.mark.parametrize("mode", [RouteMode.FULL, RouteMode.SPLIT])
@pytest.mark.parametrize("selected", [{"marks": (1,)}, {"user_ids": (1000,)}])
def test_ipv6_of_selected_traffic_is_walled_in_too(mode: RouteMode, selected: dict[str, Any]) -> None:
    wall = AddTable("ip6", "holdfast-ipv6-office", ())
    made = make(mode=mode, wall=wall, **selected)
    assert made.changes[-1] == wall
    assert not any("::" in text for text in texts(made)), "routes would stop the rest as well"
    assert "does not leak" in " ".join(made.why)
    assert "NOT carried" in " ".join(make(mode=mode, **selected).why), "no firewall: it is said"
    left = make(mode=mode, wall=wall, **selected, ipv6_choice=Ipv6Choice.LEAVE)
    assert wall not in left.changes
    assert "NOT carried" in " ".join(left.why)


def test_ipv6_of_other_hosts_is_not_known_and_that_is_said() -> None:
    why = " ".join(make(mode=RouteMode.FULL, sources=networks("10.9.0.0/16")).why)
    assert "the hosts behind 10.9.0.0/16 is NOT carried" in why


def test_full_leaves_ipv6_only_when_told_and_says_so() -> None:
    made = plan(RouteSettings(RouteMode.FULL, ipv6=Ipv6Choice.LEAVE), INSIDE, OUTSIDE, HOST)
    assert not any("::" in text for text in texts(made))
    assert "NOT carried" in " ".join(made.why)
    assert not any("::" in text for text in texts(make(mode=RouteMode.FULL, ipv6=False)))


def test_full_by_rules_uses_a_table_of_its_own() -> None:
    made = make(mode=RouteMode.FULL, method=FullMethod.RULES)
    assert texts(made)[2:7] == [
        "rule 17230 to 203.0.113.5/32 lookup 254",
        "net/ipv4/conf/pptp0/rp_filter = 2",
        "route 0.0.0.0/0 dev pptp0 table 1723",
        "rule 17231 lookup 254",
        "rule 17232 lookup 1723",
    ]


def test_sources_marks_and_users_are_selected() -> None:
    made = make(sources=networks("192.168.5.0/24"), marks=(0x64,), user_ids=(1000,))
    found = texts(made)
    for selector in ("from 192.168.5.0/24", "fwmark 0x64", "uid 1000"):
        assert [text for text in found if selector in text and text.endswith("lookup 1723")]
        assert [text for text in found if selector in text and text.endswith("lookup 254")]
    assert not any("0.0.0.0/1 " in text or "unreachable" in text for text in found)


def test_split_takes_configured_and_pushed_networks_and_reaches_the_name_servers() -> None:
    made = make(
        networks=networks("10.1.0.0/16"),
        pushed=networks("10.2.0.0/16", "10.1.0.0/16"),
        servers=(IPv4Address("10.1.0.53"), IPv4Address("10.9.0.53")),
    )
    assert texts(made) == [
        *ADDRESSING,
        PIN,
        NET,
        "route 10.1.0.0/16 dev pptp0",
        "route 10.2.0.0/16 dev pptp0",
        "route 10.9.0.53/32 dev pptp0",
    ]


def test_split_without_networks_says_what_is_reached() -> None:
    assert "only the server's inner address" in " ".join(make().why)


def test_a_server_in_the_same_network_is_pinned_without_a_gateway() -> None:
    made = make(outside=Route("203.0.113.0/24", "eth0"))
    assert texts(made)[2] == "route 203.0.113.5/32 dev eth0"


@pytest.mark.parametrize("outside", [None, Route("203.0.113.5/32", "lo", kind="2"), Route("127.0.0.0/8", "lo")])
def test_nothing_is_pinned_for_a_server_on_this_host(outside: Route | None) -> None:
    made = make(outside=outside)
    assert made.pin is None
    assert "on this host itself" in " ".join(made.why)


@pytest.mark.parametrize("peer", ["203.0.113.5", "192.168.1.1", "0.0.0.0"])
def test_a_peer_address_that_would_cut_the_carrier_gets_no_route(peer: str) -> None:
    made = make(Inside("pptp0", INSIDE.local, peer, 1396, INSIDE.server))
    change = made.changes[1].plain()
    assert change["peer"] == ""
    assert "gets no route" in made.why[0]
    assert make().changes[1].plain()["peer"] == "10.77.0.1"


def test_the_peer_itself_as_a_network_needs_no_second_route() -> None:
    made = make(mode=RouteMode.SPLIT, networks=networks("10.77.0.1/32", "10.9.0.0/16"))
    added = [text for text in texts(made) if text.endswith("dev pptp0") and text.startswith("route")]
    assert added == ["route 10.9.0.0/16 dev pptp0"]
