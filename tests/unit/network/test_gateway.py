"""The plan of a gateway's host."""

from ipaddress import ip_address
from typing import Any

import pytest

from holdfast.network.changes import AddAddress, AddRoute, AddTable, SetLink, SetSysctl
from holdfast.network.gateway import GatewayNetwork, forward_blockers
from holdfast.network.netlink import Route


def gateway(address: str, pool: tuple[str, str], **more: Any) -> GatewayNetwork:
    first, last = map(ip_address, pool)
    return GatewayNetwork("hf0", (ip_address(address),), ((first, last),), **more)


def test_the_plan_in_order() -> None:
    plan = gateway("10.77.0.1", ("10.77.0.10", "10.77.0.11"), mtu=1396).changes()
    assert [type(change) for change in plan] == [SetLink, AddAddress, AddRoute, SetSysctl, AddTable]
    assert list(map(str, plan)) == [
        "link hf0 up with MTU 1396",
        "address 10.77.0.1/32 on hf0",
        "route 10.77.0.10/31 dev hf0",
        "net/ipv4/ip_forward = 1",
        "table inet holdfast",
    ]


def test_routes_cover_the_pool_and_nothing_else() -> None:
    network = gateway("10.77.0.1", ("10.77.0.10", "10.77.0.250"))
    covered = [address for part in network.networks() for address in part]
    assert covered == [ip_address("10.77.0.0") + offset for offset in range(10, 251)]


def test_without_nat_and_isolation_there_is_no_firewall() -> None:
    plan = gateway("10.77.0.1", ("10.77.0.10", "10.77.0.10"), nat=False).changes()
    assert not any(isinstance(change, AddTable) for change in plan)


def test_isolation_drops_before_it_accepts() -> None:
    network = GatewayNetwork("hf0", (ip_address("10.0.0.1"),), (), nat=False, isolate_clients=True)
    table = network.changes()[-1]
    assert isinstance(table, AddTable)
    rules = [entry["add"]["rule"]["expr"][-1] for entry in table.statements if "rule" in entry.get("add", {})]
    assert rules == [{"drop": None}, {"accept": None}, {"accept": None}]


def test_ipv6_pools_are_forwarded_and_masked_too() -> None:
    network = gateway("fd00::1", ("fd00::10", "fd00::1f"))
    texts = list(map(str, network.changes()))
    assert "address fd00::1/128 on hf0" in texts
    assert "net/ipv6/conf/all/forwarding = 1" in texts
    table = network.changes()[-1]
    assert isinstance(table, AddTable)
    families = [
        entry["add"]["rule"]["expr"][0]["match"]["right"]
        for entry in table.statements
        if "rule" in entry.get("add", {})
    ]
    assert "ipv6" in families


def test_an_address_outside_the_pools_has_a_route_of_its_own() -> None:
    network = gateway("10.77.0.1", ("10.77.0.10", "10.77.0.250"))
    assert network.client_route(ip_address("10.77.0.10")) is None
    assert network.client_route(ip_address("10.77.0.250")) is None
    for outside in ("10.77.0.9", "10.77.0.251", "192.168.5.5"):
        assert network.client_route(ip_address(outside)) == AddRoute(Route(f"{outside}/32", "hf0"))
    assert network.client_route(ip_address("fd00::5")) == AddRoute(Route("fd00::5/128", "hf0"))


def test_a_reversed_range_is_refused() -> None:
    with pytest.raises(ValueError):
        gateway("10.77.0.1", ("10.0.0.9", "10.0.0.1")).changes()


def test_nat_out_of_one_interface_only() -> None:
    table = gateway("10.77.0.1", ("10.77.0.10", "10.77.0.11"), nat_interface="wan0").changes()[-1]
    assert isinstance(table, AddTable)
    assert table.statements[-1]["add"]["rule"]["expr"][2]["match"] == {
        "op": "==",
        "left": {"meta": {"key": "oifname"}},
        "right": "wan0",
    }


def test_chains_of_others_that_drop_are_named() -> None:
    chain = {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"}
    ruleset = [
        {"table": {}},
        {"chain": chain},
        {"chain": {**chain, "table": "holdfast"}},
        {"chain": {**chain, "policy": "accept"}},
    ]
    assert forward_blockers(ruleset) == ["ip filter FORWARD"]


def test_a_route_reads_as_people_write_it() -> None:
    assert (
        str(Route("10.0.0.0/8", "eth0", gateway="192.0.2.1", table=77)) == "10.0.0.0/8 via 192.0.2.1 dev eth0 table 77"
    )
    assert str(Route("10.0.0.0/8", kind="unreachable")) == "unreachable 10.0.0.0/8"
