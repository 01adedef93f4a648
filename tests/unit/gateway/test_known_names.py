"""Pools and filters that nobody knows."""

from holdfast.gateway.known_names import Names, why_unknown, without
from holdfast.policy.effective import Layer, effective

FOUND = effective([Layer.of({"pool": "staff", "filter": "guests", "idle_timeout": 5.0}, "RADIUS r: X")])


def test_what_is_not_in_the_file_is_named() -> None:
    assert Names(frozenset({"staff"}), frozenset({"guests"})).unknown(FOUND) == []
    assert Names(frozenset({"staff"})).unknown(FOUND) == ["filter"]
    assert Names().unknown(FOUND) == ["pool", "filter"]
    assert Names().unknown(effective([])) == []
    assert why_unknown(FOUND, "pool") == "RADIUS r: X names 'staff', and the configuration has no [pools.staff]"


def test_names_can_be_left_out() -> None:
    left = without(FOUND, ["filter"])
    assert (left.policy.pool, left.policy.filter, left.policy.idle_timeout) == ("staff", "", 5.0)
    assert left.origin("filter") == "RADIUS r: X, unknown here and ignored"
