"""Rules of filters as people write them, and as nftables gets them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.network.filters import FilterRule, set_of, statements

FILTERS = {
    "guests.2": (FilterRule.parse("allow udp 53"), FilterRule.parse("deny 10.0.0.0/8")),
    "all": (FilterRule.parse("allow"),),
}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("allow", "allow any"),
        ("deny any", "deny any"),
        ("allow tcp", "allow any tcp"),
        ("allow  10.0.0.0/8   tcp  22, 80-90", "allow 10.0.0.0/8 tcp 22,80-90"),
        ("deny 192.0.2.1 icmp", "deny 192.0.2.1/32 icmp"),
        ("allow any udp 53", "allow any udp 53"),
    ],
)
def test_a_rule_is_read_and_written(text: str, written: str) -> None:
    rule = FilterRule.parse(text)
    assert str(rule) == written
    assert FilterRule.parse(written) == rule


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pass any", "allow or deny|`allow` or `deny`"),
        ("allow 10.0.0.1/8", "write 10.0.0.0/8"),
        ("allow elsewhere", "neither `any`"),
        ("allow any gre", "not one of tcp, udp, icmp"),
        ("allow tcp 0", "port"),
        ("allow tcp 90-80", "port"),
        ("allow tcp 70000", "port"),
        ("allow tcp http", "port"),
        ("allow icmp 8", "no ports"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FilterRule.parse(text)


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_a_sentence(text: str) -> None:
    with contextlib.suppress(ValueError):
        FilterRule.parse(f"allow {text}")


def test_names_that_nftables_does_not_take_become_numbers() -> None:
    assert [set_of(FILTERS, name) for name in ("all", "guests.2")] == ["filter0", "filter1"]


def test_every_filter_ends_with_a_drop_and_is_reached_from_both_hooks() -> None:
    made = statements("inet", "t", "tun0", FILTERS)
    rules = [one["add"]["rule"] for one in made if "rule" in one["add"]]
    last = [rule["expr"][-1] for rule in rules if rule["chain"] == "filter1_rules"]
    assert last == [{"accept": None}, {"drop": None}, {"drop": None}]
    jumps = [(rule["chain"], rule["expr"][-1]["jump"]["target"]) for rule in rules if "jump" in rule["expr"][-1]]
    assert sorted(jumps) == [
        (f"filtered_{hook}", f"filter{number}_rules") for hook in ("forward", "input") for number in (0, 1)
    ]
