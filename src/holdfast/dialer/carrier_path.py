"""The path to the server beside the tunnel: which route it is, and whether what happened touches it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from holdfast.network.netlink import Route


@dataclass(frozen=True, slots=True)
class CarrierPath:
    """How the server is reached: by `route` (None: not at all), from the address `source` of this host."""

    route: Route | None
    source: str = ""

    def __str__(self) -> str:
        if self.route is None:
            return "no route"
        via = f"{self.route.gateway} on " if self.route.gateway else ""
        return f"{via}{self.route.interface}"


def best_route(routes: Iterable[Route], server: IPv4Address, ours: Iterable[Route], interface: str) -> Route | None:
    """Return the route of the main table that would carry packets to `server` if the tunnel were not there.

    `ours` are routes that the tunnel pinned itself, `interface` is the tunnel's. The longest prefix wins, then the
    smallest metric, as in the kernel.
    """
    pinned = set(ours)
    usable = [
        route
        for route in routes
        if route not in pinned
        and route.interface not in {interface, ""}
        and route.kind == "unicast"
        and server in IPv4Network(route.destination)
    ]
    return min(usable, key=lambda route: (-IPv4Network(route.destination).prefixlen, route.metric), default=None)


def same_way(one: Route | None, other: Route | None) -> bool:
    """Whether two routes lead out of the same interface to the same gateway."""
    if one is None or other is None:
        return one is other
    return (one.interface, one.gateway) == (other.interface, other.gateway)
