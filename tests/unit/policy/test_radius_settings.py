"""Attributes that are settings of a session."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.effective import effective
from holdfast.policy.radius_settings import read_route, settings_layer
from holdfast.radius.attributes import Attribute, Attributes, attribute
from holdfast.radius.dictionary import DEFINITIONS


def layer(*pairs):
    return settings_layer(Attributes(attribute(name, value) for name, value in pairs), "RADIUS r")


def test_names_limits_and_rates_with_their_origin():
    found = layer(
        ("Framed-Pool", "staff"),
        ("Filter-Id", "guests"),
        ("Filter-Id", "second"),
        ("Port-Limit", 2),
        ("WISPr-Bandwidth-Max-Up", 1_000_000),
        ("Mikrotik-Rate-Limit", "64k/2M"),
        ("Session-Timeout", 14400),
        ("Acct-Interim-Interval", 5),
    )
    assert found.values == {
        "pool": "staff",
        "filter": "guests",
        "sessions_per_user": 2,
        "rate_up": 1_000_000,
        "rate_down": 2_000_000,
        "session_timeout": 14400.0,
        "accounting_interval": 60.0,
    }
    assert found.origins["accounting_interval"] == (
        "RADIUS r: Acct-Interim-Interval (5, raised to 60: RFC 2869 forbids less)"
    )
    assert found.origins["rate_up"] == "RADIUS r: WISPr-Bandwidth-Max-Up"
    assert found.origins["rate_down"] == "RADIUS r: Mikrotik-Rate-Limit"
    assert effective([found]).policy.filter == "guests"


def test_volumes_beyond_four_gigabytes():
    assert layer(("Mikrotik-Total-Limit", 5), ("Mikrotik-Total-Limit-Gigawords", 1)).values == {
        "volume_limit": (1 << 32) + 5
    }
    assert layer(("ChilliSpot-Max-Total-Octets", 7)).values == {"volume_limit": 7}


def test_volumes_of_one_direction():
    """The router receives what the client sends."""
    found = layer(
        ("Mikrotik-Recv-Limit", 1),
        ("Mikrotik-Recv-Limit-Gigawords", 2),
        ("Mikrotik-Xmit-Limit-Gigawords", 1),
        ("ChilliSpot-Max-Output-Octets", 9),
    )
    assert found.values == {"volume_limit_in": (2 << 32) + 1, "volume_limit_out": 1 << 32}
    assert found.origins["volume_limit_in"] == "RADIUS r: Mikrotik-Recv-Limit"
    assert layer(("ChilliSpot-Max-Input-Octets", 9)).values == {"volume_limit_in": 9}


@pytest.mark.parametrize(("action", "values", "unusable"), [(0, False, 0), (1, True, 0), (2, None, 1)])
def test_what_happens_at_the_end_of_the_time(action, values, unusable):
    found = layer(("Termination-Action", action))
    assert (found.values.get("reauthenticate"), len(found.unusable)) == (values, unusable)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.168.5.0/24 0.0.0.0 1", "192.168.5.0/24"),
        ("192.168.5.77/24", "192.168.5.0/24"),
        ("10.0.0.0 0.0.0.0", "10.0.0.0/8"),
        ("172.16.0.0", "172.16.0.0/16"),
        ("192.168.5.0", "192.168.5.0/24"),
        ("0.0.0.0/0 0.0.0.0 1", ""),
        ("", ""),
        ("elsewhere", ""),
        ("10.0.0.0/40", ""),
    ],
)
def test_routes(text, network):
    assert read_route(text) == network


def test_networks_behind_a_client():
    address, mask = ("Framed-IP-Address", IPv4Address("192.0.2.9")), IPv4Address("255.255.255.248")
    found = layer(address, ("Framed-IP-Netmask", mask))
    assert found.values["routes"] == ("192.0.2.8/29",)
    assert found.origins["routes"] == "RADIUS r: Framed-IP-Netmask"
    both = layer(address, ("Framed-IP-Netmask", mask), ("Framed-Route", "10.5.0.0/16"), ("Framed-Route", "10.5.0.0/16"))
    assert both.values["routes"] == ("10.5.0.0/16", "192.0.2.8/29")
    assert both.origins["routes"] == "RADIUS r: Framed-Route and Framed-IP-Netmask"


ADDRESS = ("Framed-IP-Address", IPv4Address("192.0.2.9"))


def test_the_netmask_of_a_client_that_is_no_router_says_nothing():
    found = layer(ADDRESS, ("Framed-IP-Netmask", IPv4Address("255.255.255.255")))
    assert (found.values, found.unusable) == ({"address": ("192.0.2.9",)}, ())


def test_what_a_client_is_given_besides():
    found = layer(
        ADDRESS,
        ("MS-Secondary-DNS-Server", IPv4Address("192.0.2.2")),
        ("MS-Primary-DNS-Server", IPv4Address("192.0.2.1")),
        ("MS-Primary-NBNS-Server", IPv4Address("192.0.2.3")),
        ("Framed-MTU", 1200),
        ("Mikrotik-Group", "office"),
        ("MS-MPPE-Encryption-Policy", 2),
        ("MS-MPPE-Encryption-Types", 6),
    )
    assert {key: (value, found.origins[key].removeprefix("RADIUS r: ")) for key, value in found.values.items()} == {
        "address": (("192.0.2.9",), "Framed-IP-Address"),
        "dns": (("192.0.2.1", "192.0.2.2"), "MS-Primary-DNS-Server and MS-Secondary-DNS-Server"),
        "wins": (("192.0.2.3",), "MS-Primary-NBNS-Server"),
        "mtu": (1200, "Framed-MTU"),
        "group": ("office", "Mikrotik-Group"),
        "mppe": ("require", "MS-MPPE-Encryption-Policy"),
        "mppe_bits": ((128, 40), "MS-MPPE-Encryption-Types"),
    }
    assert found.unusable == ()


@pytest.mark.parametrize(
    ("octets", "values", "unusable"),
    [
        ("fffffffe", {}, 0),
        ("ffffffff", {"client_wish": True}, 0),
        ("7f000001", {}, 1),
        ("0a000007", {"address": ("10.0.0.7",)}, 0),
    ],
)
def test_addresses_with_a_meaning_of_their_own(octets, values, unusable):
    found = layer(("Framed-IP-Address", bytes.fromhex(octets)))
    assert (found.values, len(found.unusable)) == (values, unusable)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Framed-MTU", 575, "= 575: below the 576 octets"),
        ("Framed-MTU", b"\x05", "it has 1 octets, not 4"),
        ("Session-Timeout", bytes(5), "it has 5 octets, not 4"),
        ("Framed-IP-Address", IPv4Address("224.0.0.1"), "= 224.0.0.1: no client can have it"),
        ("Framed-IP-Netmask", IPv4Address("255.255.255.0"), "no network behind the client"),
        ("MS-Primary-DNS-Server", IPv4Address("0.0.0.0"), "no server has it"),
        ("MS-MPPE-Encryption-Policy", 3, "Encryption-Required"),
        ("Mikrotik-Rate-Limit", "fast", "'fast': its first word is no rate"),
        ("Framed-Route", "0.0.0.0/0 0.0.0.0 1", "not a network that can lie behind one client"),
        ("Framed-IPv6-Prefix", bytes(18), "tunnels carry IPv4 only"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_reason(name, value, why):
    found = layer((name, value))
    assert not found.values
    (sentence,) = found.unusable
    assert sentence.startswith(f"RADIUS r: {name} = ")
    assert why in sentence


def test_what_is_said_twice_and_of_a_mask_without_meaning():
    named = layer(("Filter-Id", "a"), ("Filter-Id", "b"))
    assert (named.values, named.unusable) == (
        {"filter": "a"},
        ("RADIUS r: Filter-Id = 'b': the first of several counts",),
    )
    for address in (IPv4Address("255.255.255.254"), IPv4Address("192.0.2.9")):
        masked = layer(("Framed-IP-Address", address), ("Framed-IP-Netmask", IPv4Address("255.0.255.0")))
        assert "routes" not in masked.values
        assert len(masked.unusable) == 1
    pooled = layer(
        ("Framed-IP-Address", IPv4Address("255.255.255.254")), ("Framed-IP-Netmask", IPv4Address("255.255.255.0"))
    )
    assert not pooled.values, "255.255.255.254 says that the pool decides: it lies in no network"


@given(st.lists(st.tuples(st.sampled_from(DEFINITIONS), st.binary(max_size=20))))
def test_whatever_a_server_sends_is_settings_or_nothing(found):
    attributes = Attributes(Attribute(one.number, data, one.vendor) for one, data in found)
    effective([settings_layer(attributes, "r")])
