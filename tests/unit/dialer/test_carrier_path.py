"""The path to the server beside the tunnel."""

from ipaddress import IPv4Address

import pytest

from holdfast.dialer.carrier_path import CarrierPath, best_route, same_way
from holdfast.network.netlink import Route

SERVER = IPv4Address("198.51.100.5")
DEFAULT = Route("0.0.0.0/0", "eth0", "192.0.2.1", metric=100)
PIN = Route("198.51.100.5/32", "eth0", "192.0.2.1")
OURS = [Route("0.0.0.0/1", "pptp0"), Route("128.0.0.0/1", "pptp0"), PIN]


def best(*routes: Route) -> Route | None:
    return best_route([*OURS, *routes], SERVER, [PIN], "pptp0")


def test_what_the_tunnel_made_itself_does_not_count() -> None:
    assert best() is None
    assert best(DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    ("other", "wins"),
    [
        (Route("0.0.0.0/0", "wlan0", "203.0.113.1", metric=50), True),
        (Route("0.0.0.0/0", "wlan0", "203.0.113.1", metric=600), False),
        (Route("198.51.100.0/24", "wlan0", "203.0.113.1", metric=600), True),
        (Route("198.51.0.0/16", kind="unreachable"), False),
        (Route("10.0.0.0/8", "wlan0"), False),
    ],
)
def test_the_longest_prefix_and_then_the_smallest_metric_win(other: Route, wins: bool) -> None:
    assert best(DEFAULT, other) == (other if wins else DEFAULT)


def test_the_same_way() -> None:
    assert same_way(None, None)
    assert not same_way(DEFAULT, None)
    assert same_way(DEFAULT, PIN), "the prefix does not matter, only where packets go"
    assert not same_way(DEFAULT, Route("0.0.0.0/0", "eth0", "192.0.2.254"))
    assert not same_way(DEFAULT, Route("0.0.0.0/0", "wlan0", "192.0.2.1"))


def test_it_reads_well() -> None:
    assert str(CarrierPath(DEFAULT)) == "192.0.2.1 on eth0"
    assert str(CarrierPath(Route("192.0.2.0/24", "eth0"))) == "eth0"
    assert str(CarrierPath(None)) == "no route"
