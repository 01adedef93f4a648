"""Addresses that a server assigns and that cannot work."""

from ipaddress import IPv4Address

import pytest

from holdfast.dialer.addresses import HostView, objection
from holdfast.network.netlink import Route

SERVER = IPv4Address("203.0.113.5")
HOST = HostView(
    (IPv4Address("192.168.1.7"), IPv4Address("127.0.0.1")),
    (
        Route("192.168.1.0/24", "eth0"),
        Route("0.0.0.0/0", "eth0", "192.168.1.1"),
        Route("10.0.0.0/8", "eth0", "192.168.1.1"),
    ),
)


@pytest.mark.parametrize("local", ["10.77.0.10", "100.64.0.1", "172.16.0.9"])
def test_good_ones(local: str) -> None:
    assert objection(local, "10.77.0.1", SERVER, HOST) == ""
    assert objection(local, "", SERVER, HOST) == ""


@pytest.mark.parametrize(
    ("local", "words"),
    [
        ("0.0.0.0", "no address for us"),
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("224.0.0.1", "not an address of a host"),
        ("255.255.255.255", "not an address of a host"),
        ("192.168.1.7", "already has"),
        ("192.168.1.50", "already reaches 192.168.1.0/24 by eth0"),
        ("203.0.113.5", "public address 203.0.113.5"),
        ("", "no IPv4 address"),
        ("fe80::1", "no IPv4 address"),
    ],
)
def test_bad_ones_get_one_sentence(local: str, words: str) -> None:
    sentence = objection(local, "10.77.0.1", SERVER, HOST)
    assert words in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("peer", ["10.77.0.10", "192.168.1.7", "127.0.0.1", "x"])
def test_a_peer_that_takes_our_address(peer: str) -> None:
    assert objection("10.77.0.10", peer, SERVER, HOST)
