"""Keeps IPv6 in while everything goes through a tunnel that does not carry it.

Unreachable routes alone are not enough: a route longer than theirs, another routing table, or a socket that is bound
to an interface goes past them. A firewall table stands behind them, for this host and for what it forwards.
"""

from collections.abc import Sequence
from ipaddress import IPv6Network

from holdfast.events import FirewallPurpose
from holdfast.network import nft
from holdfast.network.changes import AddTable
from holdfast.network.netlink import Route

FAMILY = "ip6"
PRIORITY = 0
NEAR = (IPv6Network("fe80::/10"), IPv6Network("ff00::/8"))
"""Link-local and multicast addresses (RFC 4291 sections 2.5.6 and 2.7): they leave no link."""
SHORTEST_LINK = 48
"""A link has a /64 as a rule (RFC 4291 section 2.5.4); what is shorter than a site is a way out, not a link."""


def on_link(routes: Sequence[Route], tunnel: str) -> tuple[IPv6Network, ...]:
    """Return the networks that this host's own links carry, according to its IPv6 routes."""
    near = [IPv6Network(r.destination) for r in routes if r.kind == "unicast" and not r.gateway]
    ours = {IPv6Network(r.destination) for r in routes if r.interface == tunnel}
    links = (n for n in near if n.prefixlen >= SHORTEST_LINK and n not in ours and not n.is_link_local)
    return tuple(dict.fromkeys(links))


def plan(
    tunnel: str, links: Sequence[IPv6Network], *, marks: Sequence[int] = (), user_ids: Sequence[int] = ()
) -> AddTable:
    """Return the table: IPv6 goes to loopback and to this host's own links, all else is refused at once.

    With `marks` or `user_ids` only what bears one of these marks or is sent by one of these users is refused.
    """
    name = f"holdfast-ipv6-{tunnel}"
    near = nft.match(nft.payload("ip6", "daddr"), nft.address_set([*NEAR, *_without_parts(links)]))
    refuse = {"reject": {"type": "icmpv6", "expr": "no-route"}}
    statements = [nft.table(FAMILY, name)]
    for hook in ("output", "forward"):
        chain = nft.base_chain(FAMILY, name, hook, kind="filter", hook=hook, priority=PRIORITY, policy="accept")
        chosen = [[nft.match(nft.meta("mark"), mark)] for mark in marks]
        chosen += [[nft.match(nft.meta("skuid"), user)] for user in user_ids if hook == "output"]
        meant = chosen if marks or user_ids else [[]]
        rules = [[nft.match(nft.meta("oifname"), "lo"), nft.verdict("accept")], [near, nft.verdict("accept")]]
        rules += [[*matches, refuse] for matches in meant]
        statements += [chain, *(nft.rule(FAMILY, name, hook, expressions) for expressions in rules)]
    return AddTable(FAMILY, name, tuple(statements), FirewallPurpose.IPV6_WALL)


def _without_parts(networks: Sequence[IPv6Network]) -> list[IPv6Network]:
    """Leave out what is inside another one: a set of intervals takes no overlaps."""
    return [one for one in networks if not any(one != other and one.subnet_of(other) for other in (*networks, *NEAR))]
