"""What keeps IPv6 in."""

import json
from ipaddress import IPv6Network

from holdfast.dialer.ipv6_wall import on_link, plan
from holdfast.network.netlink import Route

ROUTES = (
    Route("::/0", "eth0", "fe80::1"),
    Route("2001:db8:1::/64", "eth0"),
    Route("2001:db8:1::/80", "eth0"),
    Route("fe80::/64", "eth0"),
    Route("fd00::/64", "pptp0"),
    Route("2001:db8:9::/48", "eth0", "fe80::1"),
    Route("2001:db8:8::/48", kind="unreachable"),
    Route("2000::/3", "wg0"),
)


def test_only_networks_of_our_own_links_are_near() -> None:
    found = on_link(ROUTES, "pptp0")
    assert found == (IPv6Network("2001:db8:1::/64"), IPv6Network("2001:db8:1::/80"))


def test_only_the_selected_traffic_is_refused_where_some_is_selected() -> None:
    table = plan("office", on_link(ROUTES, "pptp0"), marks=(7,), user_ids=(1000, 1001))
    rules = [s["add"]["rule"] for s in table.statements if "rule" in s.get("add", {})]
    refusing = [(rule["chain"], rule["expr"][:-1]) for rule in rules if "reject" in rule["expr"][-1]]
    assert [chain for chain, _ in refusing] == ["output"] * 3 + ["forward"], "a forwarded packet has no user"
    assert all(matches for _, matches in refusing), "nothing else may be refused"
    assert [matches[0]["match"]["right"] for _, matches in refusing] == [7, 1000, 1001, 7]


def test_both_hooks_refuse_what_is_not_near() -> None:
    table = plan("office", on_link(ROUTES, "pptp0"))
    assert str(table) == "table ip6 holdfast-ipv6-office"
    rules = [s["add"]["rule"] for s in table.statements if "rule" in s.get("add", {})]
    assert [rule["chain"] for rule in rules] == ["output"] * 3 + ["forward"] * 3
    assert "reject" in rules[2]["expr"][0]
    near = json.dumps(rules[1])
    assert all(word in near for word in ("fe80::", "ff00::", "2001:db8:1::"))
    assert '"len": 80' not in near, "a set takes no network inside another"
