"""Ranges of addresses."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.policy.ranges import AddressRange, contains


@pytest.mark.parametrize(
    ("text", "first", "last", "size"),
    [
        ("10.0.0.10-10.0.0.20", "10.0.0.10", "10.0.0.20", 11),
        (" 10.0.0.10 - 10.0.0.20 ", "10.0.0.10", "10.0.0.20", 11),
        ("10.0.0.7", "10.0.0.7", "10.0.0.7", 1),
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.254", 254),
        ("10.0.0.4/30", "10.0.0.5", "10.0.0.6", 2),
        ("10.0.0.4/31", "10.0.0.4", "10.0.0.5", 2),
        ("10.0.0.4/32", "10.0.0.4", "10.0.0.4", 1),
        ("fd00::/126", "fd00::1", "fd00::3", 3),
    ],
)
def test_what_can_be_written(text: str, first: str, last: str, size: int) -> None:
    found = AddressRange.parse(text)
    assert (found.first, found.last, len(found)) == (ip_address(first), ip_address(last), size)
    assert AddressRange.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not an address"),
        ("10.0.0.1-", "'' is not an address"),
        ("10.0.0.9-10.0.0.1", "write it as 10.0.0.1-10.0.0.9"),
        ("10.0.0.1-fd00::1", "address family"),
        ("10.0.0.1/24", "write 10.0.0.0/24"),
        ("10.0.0.0/33", "is not a network"),
        ("a/b/c", "is not a network"),
        ("10.0.0.1-10.0.0.2-10.0.0.3", "is not an address"),
    ],
)
def test_what_cannot_gets_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        AddressRange.parse(text)
    assert said in str(caught.value)


def test_families_do_not_mix() -> None:
    four = AddressRange(IPv4Address("0.0.0.1"), IPv4Address("0.0.0.9"))
    six = AddressRange(IPv6Address("::1"), IPv6Address("::9"))
    assert IPv6Address("::5") in six
    assert IPv6Address("::5") not in four
    assert not four.overlaps(six)
    assert contains([four, six], IPv4Address("0.0.0.5"))
    assert not contains([six], IPv4Address("0.0.0.5"))


NUMBERS = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted)


@settings(max_examples=100)
@given(NUMBERS, NUMBERS)
def test_overlap_is_what_the_members_say(one: list[int], other: list[int]) -> None:
    a, b = (AddressRange(IPv4Address(low), IPv4Address(high)) for low, high in (one, other))
    assert a.overlaps(b) == b.overlaps(a) == bool(set(a) & set(b))
    assert len(list(a)) == len(a)
