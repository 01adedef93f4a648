"""Attributes between octets and values."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.radius.attributes import (
    Attribute,
    Attributes,
    attribute,
    describe,
    read_attributes,
    text_of,
    write_attributes,
)
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError


@pytest.mark.parametrize(
    ("name", "value", "octets", "said"),
    [
        ("User-Name", "zoë", "01067a6fc3ab", '"zoë"'),
        ("NAS-Port", 20, "050600000014", "20"),
        ("Service-Type", 2, "060600000002", "Framed"),
        ("Framed-IP-Address", IPv4Address("192.0.2.7"), "0806c0000207", "192.0.2.7"),
        ("NAS-IPv6-Address", IPv6Address("2001:db8::1"), "5f1220010db8" + "00" * 11 + "01", "2001:db8::1"),
        ("Tunnel-Type", 1, "400600000001", "PPTP"),
        ("Tunnel-Client-Endpoint", "192.0.2.9", "420b3139322e302e322e39", '"192.0.2.9"'),
        ("Class", b"\x01\x02", "19040102", "0x0102"),
        ("CHAP-Challenge", Secret(b"\xaa\xbb"), "3c04aabb", "***"),
        ("MS-Primary-DNS-Server", IPv4Address("192.0.2.53"), "1a0c000001371c06c0000235", "192.0.2.53"),
        ("MS-CHAP2-Success", Secret(b"S"), "1a090000013 71a0353".replace(" ", ""), "***"),
    ],
)
def test_values_on_the_wire_and_for_people(name, value, octets, said):
    made = attribute(name, value)
    assert write_attributes([made]).hex() == octets
    assert read_attributes(bytes.fromhex(octets)) == (made,)
    assert describe(made) == said
    assert repr(made) == f"{name}={said}"


def test_a_tag_is_no_part_of_a_text():
    assert describe(Attribute(66, b"\x01192.0.2.9")) == '"192.0.2.9"'


def test_what_is_not_known_is_kept():
    octets = bytes.fromhex("c8030a" + "1a0b00000009" + "01057fffff")
    known, vendors = read_attributes(octets)
    assert (known.name, vendors.name) == ("200", "9/1")
    assert describe(known) == "0x0a"
    assert write_attributes([known, vendors]) == octets
    assert Attributes([known, vendors]).unknown() == ["200", "9/1"]


def test_a_vendor_with_a_format_of_its_own_is_kept_whole():
    (one,) = read_attributes(bytes.fromhex("1a0a00000009") + b"\xff\xff\xff\xff")
    assert (one.vendor, one.number, one.data) == (9, 0, b"\xff" * 4)


@pytest.mark.parametrize("octets", ["01", "0101", "0103", "1a0400"])
def test_impossible_lengths(octets):
    with pytest.raises(MalformedError):
        read_attributes(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("name", "value"),
    [("NAS-Port", -1), ("NAS-Port", 1 << 32), ("Tunnel-Type", 1 << 24), ("User-Name", 5), ("Class", "x" * 254)],
)
def test_values_that_do_not_fit(name, value):
    with pytest.raises(ValueError, match=r"fit|holds"):
        attribute(name, value)
    with pytest.raises(KeyError):
        attribute("No-Such", 1)


def test_values_of_a_wrong_length_are_as_good_as_absent():
    values = Attributes([Attribute(27, b"\x01"), Attribute(8, b"abc"), Attribute(18, b"one, "), Attribute(18, b"two")])
    assert values.integer("Session-Timeout") is None
    assert values.address("Framed-IP-Address") is None
    assert values.integer("Idle-Timeout") is None
    assert values.text("Reply-Message") == "one, two"
    assert values.every("Reply-Message") == [b"one, ", b"two"]
    assert values.octets("Class") is None


def test_texts_are_cut_between_characters():
    assert text_of("é" * 200) == "é" * 126
    assert text_of("abc", 2) == "ab"


@given(st.binary(max_size=300))
def test_no_octets_are_too_strange(octets):
    try:
        found = read_attributes(octets)
    except MalformedError:
        return
    for one in found:
        describe(one)
    assert read_attributes(write_attributes(one for one in found if one.number)) == tuple(
        one for one in found if one.number
    )
