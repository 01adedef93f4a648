"""A firewall table that lets nothing out beside the tunnel, while it is up and above all while it is down."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from holdfast.events import FirewallPurpose
from holdfast.network import nft
from holdfast.network.changes import AddTable

FAMILY = "inet"
PRIORITY = 0
SERVERS = "servers"
GRE = 47
DHCP_CLIENT, DHCP_SERVER = 68, 67


def table_name(tunnel: str) -> str:
    """Return the name of the table for a tunnel."""
    return f"holdfast-{tunnel}"


def plan(
    tunnel: str, interface: str, servers: Sequence[IPv4Address], port: int, networks: Sequence[IPv4Network] = ()
) -> AddTable:
    """Return the table. Out go loopback, the tunnel, PPTP to `servers`, DHCP, IPv6 neighbours, and `networks`."""
    name = table_name(tunnel)
    chains = [_chain(name, "output"), _chain(name, "forward")]
    statements = [nft.table(FAMILY, name), _server_set(name), *chains]
    out = [
        [_outward("lo")],
        [_outward(interface)],
        [_to_servers(), nft.match(nft.payload("tcp", "dport"), port)],
        [_to_servers(), nft.match(nft.payload("ip", "protocol"), GRE)],
        [nft.match(nft.payload("udp", "sport"), DHCP_CLIENT), nft.match(nft.payload("udp", "dport"), DHCP_SERVER)],
        [
            nft.match(
                nft.payload("icmpv6", "type"),
                {"set": ["nd-neighbor-solicit", "nd-neighbor-advert", "nd-router-solicit"]},
            )
        ],
    ]
    through = [[_outward(interface)], [nft.match(nft.meta("iifname"), interface)]]
    if networks:
        beside = nft.match(nft.payload("ip", "daddr"), nft.address_set(networks))
        out.append([beside])
        through.append([beside])
    statements += [nft.rule(FAMILY, name, "output", [*rule, nft.verdict("accept")]) for rule in out]
    statements += [nft.rule(FAMILY, name, "forward", [*rule, nft.verdict("accept")]) for rule in through]
    return AddTable(FAMILY, name, (*statements, *allow_servers(tunnel, servers)), FirewallPurpose.KILL_SWITCH)


def allow_servers(tunnel: str, servers: Sequence[IPv4Address]) -> list[nft.Statement]:
    """Return the commands that let PPTP to these servers out too."""
    if not servers:
        return []
    element = {
        "family": FAMILY,
        "table": table_name(tunnel),
        "name": SERVERS,
        "elem": [str(server) for server in servers],
    }
    return [{"add": {"element": element}}]


def _server_set(name: str) -> nft.Statement:
    return {"add": {"set": {"family": FAMILY, "table": name, "name": SERVERS, "type": "ipv4_addr"}}}


def _chain(name: str, hook: str) -> nft.Statement:
    return nft.base_chain(FAMILY, name, hook, kind="filter", hook=hook, priority=PRIORITY, policy="drop")


def _outward(interface: str) -> nft.Statement:
    return nft.match(nft.meta("oifname"), interface)


def _to_servers() -> nft.Statement:
    return nft.match(nft.payload("ip", "daddr"), f"@{SERVERS}")
