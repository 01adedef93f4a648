"""Whether the addresses that a server assigns can work here: one clear sentence for each that cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from holdfast.network.netlink import Route

UNSPECIFIED = IPv4Address(0)


@dataclass(frozen=True, slots=True)
class HostView:
    """What this host has and reaches: its addresses, and its routes other than those of our own tunnel."""

    addresses: tuple[IPv4Address, ...] = ()
    routes: tuple[Route, ...] = ()


def objection(local: str, peer: str, server: IPv4Address, host: HostView) -> str:
    """Say why the assigned addresses cannot be used, or nothing when they can.

    `local` is the address for us, `peer` the server's inner one (empty when it gave none), `server` the outer
    address that we dialled.
    """
    try:
        own = IPv4Address(local)
    except ValueError:
        return f"the server assigned {local!r}, which is no IPv4 address"
    return _unusable(own, server) or _clash(own, host) or _peer_objection(peer, own, host)


def _unusable(address: IPv4Address, server: IPv4Address) -> str:
    if address == UNSPECIFIED:
        return "the server assigned 0.0.0.0: it has no address for us (ask for one, or have its pool looked at)"
    if address.is_loopback:
        return f"the server assigned the loopback address {address}"
    if address.is_multicast or address.is_reserved:
        return f"the server assigned {address}, which is not an address of a host"
    if address == server:
        return f"the server assigned its own public address {server}: the tunnel would carry itself"
    return ""


def _clash(address: IPv4Address, host: HostView) -> str:
    if address in host.addresses:
        return f"the server assigned {address}, which this host already has"
    route = covering(address, host.routes)
    if route is not None:
        return f"the server assigned {address}, but this host already reaches {route.destination} by {route.interface}"
    return ""


def _peer_objection(peer: str, own: IPv4Address, host: HostView) -> str:
    if not peer:
        return ""
    try:
        address = IPv4Address(peer)
    except ValueError:
        return f"the server calls itself {peer!r}, which is no IPv4 address"
    if address.is_loopback or address == own or address in host.addresses:
        return f"the server gave itself the address {address}, which is ours"
    return ""


def covering(address: IPv4Address, routes: Sequence[Route]) -> Route | None:
    """Return the connected network of this host that holds `address`: a route without gateway, no default."""
    for route in routes:
        network = IPv4Network(route.destination)
        if network.prefixlen and not route.gateway and route.kind == "unicast" and address in network:
            return route
    return None
