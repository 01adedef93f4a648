"""What one tunnel is to be."""

from ipaddress import IPv4Network

import pytest

from holdfast.dialer.settings import Ipv6Choice, RouteMode, RouteSettings, TunnelSettings
from holdfast.ppp.config import MppePolicy


def test_the_defaults_are_the_safest_that_work() -> None:
    settings = TunnelSettings("vpn.example", "alice")
    assert settings.link.mppe is MppePolicy.REQUIRE
    assert settings.routes.ipv6 is Ipv6Choice.BLOCK
    assert settings.routes.mode is RouteMode.SPLIT
    assert settings.port == 1723
    assert settings.reconnect.persist


@pytest.mark.parametrize(
    ("settings", "selective"),
    [
        (RouteSettings(), False),
        (RouteSettings(networks=(IPv4Network("10.0.0.0/8"),)), False),
        (RouteSettings(sources=(IPv4Network("10.0.0.0/8"),)), True),
        (RouteSettings(marks=(0,)), True),
        (RouteSettings(user_ids=(0,)), True),
    ],
)
def test_what_makes_it_selective(settings: RouteSettings, selective: bool) -> None:
    assert settings.selective is selective
