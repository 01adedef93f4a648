"""Named filters for clients: rules as an operator writes them, and the nftables chains that keep them.

A filter judges what a client sends, by destination, first match first; what no rule allows is dropped. Sessions are
elements of the filter's set (their inner addresses), so that one comes and goes without touching a rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from holdfast.network import nft

PROTOCOLS = ("tcp", "udp", "icmp")
WITH_PORTS = ("tcp", "udp")
PRIORITY = -1
"""Before the gateway's own forward chain."""
LARGEST_PORT = 65535
SHAPE = (
    "a rule is written as `allow` or `deny`, then a network, a protocol and ports, such as `allow 10.0.0.0/8 tcp 22,80`"
)

Ports = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FilterRule:
    """One rule. No network: every destination; no protocol: any; no ports: all. `ports` are first and last."""

    allow: bool
    network: IPv4Network | None = None
    protocol: str = ""
    ports: tuple[Ports, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "FilterRule":
        """Read `allow|deny [any|network] [tcp|udp|icmp [ports]]`. ValueError says in a sentence what is wrong."""
        verdict, *words = text.split()
        if verdict not in ("allow", "deny"):
            raise ValueError(f"{text!r}: {SHAPE}")
        network = None
        if words and words[0] not in PROTOCOLS:
            named = words.pop(0)
            network = None if named == "any" else _network(named)
        protocol = words.pop(0) if words else ""
        if protocol and protocol not in PROTOCOLS:
            raise ValueError(f"{protocol!r} is not one of {', '.join(PROTOCOLS)}")
        ports = _ports("".join(words)) if words else ()
        if ports and protocol not in WITH_PORTS:
            raise ValueError(f"{protocol or 'a rule without protocol'} has no ports")
        return cls(verdict == "allow", network, protocol, ports)

    def __str__(self) -> str:
        ports = ",".join(f"{first}-{last}" if first != last else str(first) for first, last in self.ports)
        words = ("allow" if self.allow else "deny", str(self.network or "any"), self.protocol, ports)
        return " ".join(word for word in words if word)

    def expressions(self) -> list[nft.Statement]:
        """Return the rule in nftables' words."""
        found: list[nft.Statement] = []
        if self.network is not None:
            prefix = {"prefix": {"addr": str(self.network.network_address), "len": self.network.prefixlen}}
            found.append(nft.match(nft.payload("ip", "daddr"), prefix))
        if self.protocol and not self.ports:
            found.append(nft.match(nft.meta("l4proto"), self.protocol))
        if self.ports:
            ranges = [first if first == last else {"range": [first, last]} for first, last in self.ports]
            found.append(nft.match(nft.payload(self.protocol, "dport"), {"set": ranges}))
        return [*found, nft.counter(), nft.verdict("accept" if self.allow else "drop")]


def _network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError):
        raise ValueError(f"{text!r} is neither `any` nor an IPv4 network nor one of {', '.join(PROTOCOLS)}") from None
    except ValueError:
        raise ValueError(f"{text!r} has bits set beyond its prefix; write {IPv4Network(text, strict=False)}") from None


def _ports(text: str) -> tuple[Ports, ...]:
    return tuple(_port_range(part) for part in text.split(","))


def _port_range(text: str) -> Ports:
    first, dash, last = text.partition("-")
    numbers = [int(part) if part.isascii() and part.isdigit() else 0 for part in (first, last if dash else first)]
    if not 1 <= numbers[0] <= numbers[1] <= LARGEST_PORT:
        raise ValueError(f"{text!r} is neither a port nor a range of ports")
    return numbers[0], numbers[1]


Filters = Mapping[str, Sequence[FilterRule]]


def set_of(filters: Filters, name: str) -> str:
    """Return the nftables set of a filter: its name may hold what nftables does not take."""
    return f"filter{sorted(filters).index(name)}"


def statements(family: str, table: str, tun: str, filters: Filters) -> list[nft.Statement]:
    """Return sets and chains for a table that is being made. What is forwarded and what is for this host are judged."""
    made: list[nft.Statement] = []
    for name, rules in filters.items():
        chain = f"{set_of(filters, name)}_rules"
        made.append(nft.address_elements(family, table, set_of(filters, name)))
        made.append(nft.chain(family, table, chain))
        made += [nft.rule(family, table, chain, rule.expressions()) for rule in rules]
        made.append(nft.rule(family, table, chain, [nft.counter(), nft.verdict("drop")]))
    for hook in ("forward", "input"):
        base = f"filtered_{hook}"
        made.append(nft.base_chain(family, table, base, kind="filter", hook=hook, priority=PRIORITY, policy="accept"))
        made += [nft.rule(family, table, base, _jump(tun, set_of(filters, name))) for name in filters]
    return made


def _jump(tun: str, name: str) -> list[nft.Statement]:
    member = nft.match(nft.payload("ip", "saddr"), f"@{name}")
    return [nft.match(nft.meta("iifname"), tun), member, {"jump": {"target": f"{name}_rules"}}]
