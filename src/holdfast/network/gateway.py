"""What a gateway needs of its host: one TUN with an address, routes to the pools, forwarding, NAT."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, summarize_address_range

from holdfast.network import nft
from holdfast.network.changes import AddAddress, AddRoute, AddTable, Change, SetLink, SetSysctl
from holdfast.network.filters import Filters, set_of, statements
from holdfast.network.netlink import Route

Address = IPv4Address | IPv6Address
FAMILY = "inet"
FORWARD_PRIORITY = 0
SOURCE_NAT_PRIORITY = 100

IPV4_FORWARDING = SetSysctl(
    "net/ipv4/ip_forward",
    "1",
    # inet_forward_change() of the kernel sets these along with it.
    ("net/ipv4/conf/*/forwarding", "net/ipv4/conf/all/accept_redirects"),
)
IPV6_FORWARDING = SetSysctl("net/ipv6/conf/all/forwarding", "1", ("net/ipv6/conf/*/forwarding",))


@dataclass(frozen=True, slots=True)
class GatewayNetwork:
    """The host side of one gateway.

    `tun` is the interface, `addresses` its own inner addresses, `pools` the first and last address of each range
    that clients get, `mtu` in octets. `nat` puts this host's address on what clients send to elsewhere, by
    `nat_interface` only where one is named, whatever the client's address (the packet engine lets none use another's);
    `isolate_clients` lets no client reach another. `table` names the nftables table, which has the `filters` too.
    """

    tun: str
    addresses: tuple[Address, ...]
    pools: tuple[tuple[Address, Address], ...]
    mtu: int = 1400
    nat: bool = True
    nat_interface: str = ""
    isolate_clients: bool = False
    table: str = "holdfast"
    filters: Filters = field(default_factory=dict)

    def changes(self) -> tuple[Change, ...]:
        """Return the plan, in the order in which it is made."""
        return (SetLink(self.tun, self.mtu), *self._addressing(), *self.forwarding(), *self._firewall())

    def networks(self) -> list[nft.Network]:
        """Return the pools as the fewest networks that hold exactly them."""
        return [network for first, last in self.pools for network in summarize_address_range(first, last)]

    def client_route(self, address: Address) -> AddRoute | None:
        """Return what a client with this address needs besides the plan: a route, unless the pools have it."""
        # Compared with the ranges themselves: each session asks twice, and their networks may be many.
        if any(
            first.version == address.version and int(first) <= int(address) <= int(last) for first, last in self.pools
        ):
            return None
        return AddRoute(Route(f"{address}/{address.max_prefixlen}", self.tun))

    def network_route(self, network: str) -> AddRoute:
        """Return the route to a network behind a client."""
        return AddRoute(Route(network, self.tun))

    def _addressing(self) -> list[Change]:
        own = [AddAddress(self.tun, f"{address}/{address.max_prefixlen}") for address in self.addresses]
        return [*own, *(AddRoute(Route(str(network), self.tun)) for network in self.networks())]

    def forwarding(self) -> list[SetSysctl]:
        """Return the kernel settings without which nothing passes between clients and elsewhere."""
        versions = {first.version for first, _ in self.pools}
        settings = {4: IPV4_FORWARDING, 6: IPV6_FORWARDING}
        return [settings[version] for version in sorted(versions)]

    def _firewall(self) -> list[Change]:
        if not (self.nat or self.isolate_clients or self.filters):
            return []
        own = [nft.table(FAMILY, self.table), *self._forward_chain()]
        translation = self._nat_chain() if self.nat else []
        filtering = statements(FAMILY, self.table, self.tun, self.filters) if self.filters else []
        return [AddTable(FAMILY, self.table, (*own, *translation, *filtering))]

    def refilter(self, addresses: Sequence[str], old: str, new: str) -> list[nft.Statement]:
        """Return what moves a session's addresses and networks from one filter to another; no name: none."""
        words = (("delete", old), ("add", new))
        return [
            nft.element(word, FAMILY, self.table, set_of(self.filters, name), address)
            for word, name in words
            if name in self.filters
            for address in addresses
        ]

    def _forward_chain(self) -> list[nft.Statement]:
        inward = nft.match(nft.meta("iifname"), self.tun)
        outward = nft.match(nft.meta("oifname"), self.tun)
        chain = nft.base_chain(
            FAMILY, self.table, "forward", kind="filter", hook="forward", priority=FORWARD_PRIORITY, policy="accept"
        )
        isolated = [[inward, outward, nft.verdict("drop")]] if self.isolate_clients else []
        rules = [*isolated, [inward, nft.verdict("accept")], [outward, nft.verdict("accept")]]
        return [chain, *(nft.rule(FAMILY, self.table, "forward", rule) for rule in rules)]

    def _nat_chain(self) -> list[nft.Statement]:
        chain = nft.base_chain(
            FAMILY,
            self.table,
            "postrouting",
            kind="nat",
            hook="postrouting",
            priority=SOURCE_NAT_PRIORITY,
            policy="accept",
        )
        rules = [self._masquerade(version) for version in sorted({first.version for first, _ in self.pools})]
        return [chain, *(nft.rule(FAMILY, self.table, "postrouting", rule) for rule in rules)]

    def _masquerade(self, version: int) -> list[nft.Statement]:
        # The kernel knows the interface of arrival behind routing since 5.7; addresses outside the pools count too.
        family = nft.match(nft.meta("nfproto"), "ipv4" if version == 4 else "ipv6")
        inward, outward = nft.match(nft.meta("iifname"), self.tun), nft.meta("oifname")
        elsewhere = (
            nft.match(outward, self.nat_interface) if self.nat_interface else nft.match(outward, self.tun, negate=True)
        )
        return [family, inward, elsewhere, nft.verdict("masquerade")]


def forward_blockers(ruleset: Sequence[nft.Statement], own_table: str = "holdfast") -> list[str]:
    """Return the chains of others that drop forwarded packets by policy, such as `ip filter FORWARD`.

    An accept in our own table cannot overrule them: their owner (a firewall, a container engine) must let the
    TUN through.
    """
    chains = [entry["chain"] for entry in ruleset if "chain" in entry]
    return [
        f"{chain['family']} {chain['table']} {chain['name']}"
        for chain in chains
        if chain.get("hook") == "forward" and chain.get("policy") == "drop" and chain["table"] != own_table
    ]
