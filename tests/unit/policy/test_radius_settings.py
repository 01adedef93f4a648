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
    assert found.origins["rate_up"] == "RADIUS r: WISPr-Bandwidth-Max-Up"
    assert found.origins["rate_down"] == "RADIUS r: Mikrotik-Rate-Limit"
    assert effective([found]).policy.filter == "guests"


def test_volumes_beyond_four_gigabytes():
    assert layer(("Mikrotik-Total-Limit", 5), ("Mikrotik-Total-Limit-Gigawords", 1)).values == {
        "volume_limit": (1 << 32) + 5
    }
    assert layer(("ChilliSpot-Max-Total-Octets", 7)).values == {"volume_limit": 7}


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
    assert found.values == {"routes": ("192.0.2.8/29",)}
    assert found.origins["routes"] == "RADIUS r: Framed-IP-Netmask"
    both = layer(address, ("Framed-IP-Netmask", mask), ("Framed-Route", "10.5.0.0/16"), ("Framed-Route", "10.5.0.0/16"))
    assert both.values == {"routes": ("10.5.0.0/16", "192.0.2.8/29")}
    assert layer(address, ("Framed-IP-Netmask", IPv4Address("255.255.255.255"))).values == {}
    assert layer(address, ("Framed-IP-Netmask", IPv4Address("255.0.255.0"))).values == {}


@given(st.lists(st.tuples(st.sampled_from(DEFINITIONS), st.binary(max_size=20))))
def test_whatever_a_server_sends_is_settings_or_nothing(found):
    attributes = Attributes(Attribute(one.number, data, one.vendor) for one, data in found)
    effective([settings_layer(attributes, "r")])
