"""Rules as `nft -j list ruleset` lists them, and packets that go through them."""

from ipaddress import IPv4Address
from typing import Any

import pytest

from holdfast.advise.packet_walk import Outcome, Packet, rules_with, walk
from holdfast.network import nft

INPUT = ("input",)
CONTROL = Packet("tcp", 1723, iif="eth0", local=True)
GRE = Packet("gre", iif="eth0", local=True)


def ruleset(*rules: list[Any], policy: str = "accept", hook: str = "input", kind: str = "filter") -> list[Any]:
    """One base chain with these rules, as it is listed."""
    body = {
        "family": "inet",
        "table": "filter",
        "name": "base",
        "type": kind,
        "hook": hook,
        "prio": 0,
        "policy": policy,
    }
    return [{"table": {"family": "inet", "name": "filter"}}, {"chain": body}, *rules_in("base", *rules)]


def rules_in(chain: str, *rules: list[Any]) -> list[Any]:
    place = {"family": "inet", "table": "filter", "chain": chain}
    return [{"rule": {**place, "handle": number, "expr": rule}} for number, rule in enumerate(rules, 2)]


def dport(value: Any) -> Any:
    return nft.match(nft.payload("tcp", "dport"), value)


ACCEPT, DROP = nft.verdict("accept"), nft.verdict("drop")
ESTABLISHED = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}


def test_without_rules_everything_passes() -> None:
    assert walk([], INPUT, CONTROL) == Outcome("accept")


def test_the_policy_is_named() -> None:
    outcome = walk(ruleset(policy="drop"), INPUT, GRE)
    assert outcome.dropped
    assert outcome.rule == "inet filter base: policy drop"


@pytest.mark.parametrize(
    "expression",
    [
        dport(1723),
        dport({"set": [22, 1723]}),
        dport({"set": [{"range": [1700, 1800]}]}),
        nft.match(nft.meta("iifname"), "eth*"),
        nft.match(nft.meta("l4proto"), {"set": ["tcp", "gre"]}),
        nft.match(nft.payload("ip", "protocol"), 6),
        nft.match(nft.payload("tcp", "dport"), 22, negate=True),
        {"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr"]}}, "right": "local"}},
    ],
)
def test_a_match_that_holds(expression: Any) -> None:
    rules = ruleset([expression, {"counter": {"packets": 1, "bytes": 2}}, ACCEPT], policy="drop")
    outcome = walk(rules, INPUT, CONTROL)
    assert outcome.verdict == "accept"
    assert outcome.rule.startswith("inet filter base handle 2: ")


@pytest.mark.parametrize(
    "expression",
    [
        dport(1724),
        dport({"set": [{"range": [1, 1024]}]}),
        nft.match(nft.meta("iifname"), "wlan0"),
        nft.match(nft.meta("iifname"), "eth0", negate=True),
        nft.match(nft.payload("udp", "dport"), 1723),
        nft.match(nft.meta("l4proto"), "gre"),
        ESTABLISHED,
    ],
)
def test_a_match_that_does_not_hold(expression: Any) -> None:
    assert walk(ruleset([expression, ACCEPT], policy="drop"), INPUT, CONTROL).dropped


def test_a_port_that_a_protocol_has_not_is_neither_equal_nor_different() -> None:
    different = nft.match(nft.payload("tcp", "dport"), 22, negate=True)
    assert walk(ruleset([different, DROP]), INPUT, GRE).verdict == "accept"


@pytest.mark.parametrize(
    "expression",
    [
        nft.match(nft.payload("ip", "saddr"), "192.0.2.0"),
        {"limit": {"rate": 5, "per": "minute"}},
        {"xt": {"type": "match", "name": "conntrack"}},
        nft.match({"meta": {"key": "mark"}}, 7),
    ],
)
def test_what_is_not_known_decides_nothing_and_is_said(expression: Any) -> None:
    refused = walk(ruleset([expression, DROP]), INPUT, CONTROL)
    assert refused.verdict == "accept"
    assert len(refused.perhaps) == 1
    let_in = walk(ruleset([expression, ACCEPT], policy="drop"), INPUT, CONTROL)
    assert let_in.dropped
    assert len(let_in.perhaps) == 1


def test_sets_by_name() -> None:
    one = {"family": "inet", "table": "filter", "name": "vpn", "type": "ipv4_addr"}
    members = ["192.0.2.7", {"prefix": {"addr": "198.51.100.0", "len": 24}}, {"range": ["203.0.113.1", "203.0.113.9"]}]
    rules = [*ruleset([nft.match(nft.payload("ip", "saddr"), "@vpn"), ACCEPT], policy="drop")]
    listed = [*rules, {"set": {**one, "elem": members}}]
    inside = ("192.0.2.7", "198.51.100.200", "203.0.113.5")
    for address in (*inside, "203.0.113.10"):
        packet = Packet("gre", source=IPv4Address(address), iif="eth0")
        assert walk(listed, INPUT, packet).dropped is (address not in inside)
    assert walk(rules, INPUT, Packet("gre", source=IPv4Address("192.0.2.7"))).perhaps


def test_chains_are_jumped_into_and_returned_from() -> None:
    jump, back = {"jump": {"target": "own"}}, nft.verdict("return")
    rules = [*ruleset([jump], policy="drop"), *rules_in("own", [nft.match(nft.meta("l4proto"), "tcp"), back], [ACCEPT])]
    assert walk(rules, INPUT, CONTROL).dropped
    assert walk(rules, INPUT, GRE).verdict == "accept"
    gone = [*ruleset([{"goto": {"target": "own"}}], [DROP]), *rules_in("own", [dport(1), DROP])]
    assert walk(gone, INPUT, GRE).rule == "inet filter base: policy accept"


def test_chains_that_jump_in_a_circle_end() -> None:
    rules = [*ruleset([{"jump": {"target": "a"}}]), *rules_in("a", [{"jump": {"target": "a"}}])]
    assert walk(rules, INPUT, GRE).verdict == "accept"


def test_verdict_maps() -> None:
    table = {"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", ACCEPT], ["invalid", DROP]]}}}
    rules = ruleset([table], policy="drop")
    assert walk(rules, INPUT, GRE).dropped
    assert walk(rules, INPUT, Packet("gre", state="established")).verdict == "accept"


def test_an_accept_ends_its_own_chain_only() -> None:
    late = {
        "family": "ip",
        "table": "late",
        "name": "c",
        "type": "filter",
        "hook": "input",
        "prio": 10,
        "policy": "drop",
    }
    rules = [*ruleset([ACCEPT]), {"chain": late}]
    assert walk(rules, INPUT, GRE).rule == "ip late c: policy drop"


def test_translation_is_found_at_its_hook() -> None:
    rules = ruleset([nft.match(nft.meta("oifname"), "eth0"), nft.verdict("masquerade")], hook="postrouting", kind="nat")
    assert walk(rules, ("postrouting",), Packet("tcp", 443, oif="eth0"), "nat").translated
    assert not walk(rules, ("postrouting",), Packet("tcp", 443, oif="eth1"), "nat").translated
    assert not walk(rules, ("postrouting",), Packet("tcp", 443, oif="eth0")).translated


def test_targets_of_iptables_that_only_nft_lists() -> None:
    comment = {"xt": {"type": "match", "name": "comment"}}
    rules = ruleset([comment, {"xt": {"type": "target", "name": "MASQUERADE"}}], hook="postrouting", kind="nat")
    assert walk(rules, ("postrouting",), Packet("tcp"), "nat").translated


def test_rules_are_found_by_a_word_at_any_depth() -> None:
    clamp = {"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": {"rt": {"key": "mtu"}}}}
    rules = ruleset([dport(1723), {"ct helper": "pptp"}], [clamp])
    assert rules_with(rules, "ct helper") == ["inet filter base handle 2: tcp dport 1723 ct helper"]
    assert rules_with(rules, "maxseg") == ["inet filter base handle 3: mangle"]
    assert rules_with(rules, "maxseg", "forward") == []
