"""Addresses that nobody on the internet can answer: a NAT stands between."""

from ipaddress import IPv4Address, IPv6Address, ip_network

HIDDEN = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
"""RFC 1918, RFC 6598, RFC 4193. `is_private` holds also for addresses of documents."""


def is_hidden(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address lies behind a NAT."""
    return any(address in network for network in HIDDEN)
