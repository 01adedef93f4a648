"""Whether packets get through this host: forwarding, firewall, NAT. Pure."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from holdfast.advise.check import Check, fault, ok, unknown, warning
from holdfast.advise.facts import HostFacts
from holdfast.advise.packet_walk import Outcome, Packet, walk
from holdfast.control.codes import CONTROL_PORT
from holdfast.network.commands import translate_iptables, translate_nft
from holdfast.wire.hidden import is_hidden

FORWARD = "net/ipv4/ip_forward"
PERSIST = "echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-pptp.conf && sysctl --system"
SWITCHES = (FORWARD, "net/ipv4/conf/all/forwarding", "net/ipv4/conf/*/forwarding")
OUTSIDE = IPv4Address("198.51.100.1")
"""Somebody on the internet (RFC 5737)."""


def forwarding(facts: HostFacts) -> Iterator[Check]:
    """Whether the host forwards, now and after the next boot."""
    now = facts.sysctl.get(FORWARD)
    itself = "forwarding" in facts.daemon.sees_to
    if now == "1":
        yield ok("ip-forward", "The host forwards IPv4.", f"/proc/sys/{FORWARD} is 1")
    elif now is None:
        yield unknown("ip-forward", "Whether the host forwards is not known.", f"/proc/sys/{FORWARD} cannot be read")
    elif itself and not facts.listeners:
        yield ok(
            "ip-forward",
            "The host does not forward yet; Holdfast switches it on when it starts.",
            f"/proc/sys/{FORWARD} is {now}",
        )
    else:
        yield fault(
            "ip-forward",
            "The host does not forward: clients reach it and nothing behind it.",
            f"/proc/sys/{FORWARD} is {now}",
            "sysctl -w net.ipv4.ip_forward=1",
        )
    yield _persisted(facts, itself=itself)


def _persisted(facts: HostFacts, *, itself: bool) -> Check:
    lines = [line for line in facts.boot_settings if line.key in SWITCHES]
    last = lines[-1] if lines else None
    if last is not None and last.value == "1":
        return ok("ip-forward-persisted", "Forwarding stays on after a boot.", f"{last.place}: {last.key} = 1")
    if itself:
        return ok(
            "ip-forward-persisted",
            "Holdfast switches forwarding on at each start.",
            f"last word of the files: {last.place}: {last.value}" if last else "no file sets it",
        )
    if last is not None:
        return fault(
            "ip-forward-persisted",
            "The next boot switches forwarding off.",
            f"{last.place}: {last.key} = {last.value}",
            f"edit {last.place.rpartition(':')[0]}: net.ipv4.ip_forward = 1",
        )
    return warning(
        "ip-forward-persisted",
        "Nothing switches forwarding on at the next boot.",
        "no line in /etc/sysctl.conf or sysctl.d (systemd-networkd and container engines may do it)",
        PERSIST,
    )


def doors(facts: HostFacts) -> Iterator[Check]:
    """TCP 1723 and GRE, in and out of this host itself."""
    iif = facts.uplink
    yield _gate(
        facts,
        "firewall-input-1723",
        "TCP port 1723",
        ("prerouting", "input"),
        Packet("tcp", CONTROL_PORT, iif=iif, local=True),
        "nft insert rule inet filter input tcp dport 1723 accept",
        "iptables -I INPUT -p tcp --dport 1723 -j ACCEPT",
    )
    yield _gate(
        facts,
        "firewall-input-gre",
        "GRE from clients",
        ("prerouting", "input"),
        Packet("gre", iif=iif, local=True),
        "nft insert rule inet filter input meta l4proto gre accept",
        "iptables -I INPUT -p gre -j ACCEPT",
    )
    yield _gate(
        facts,
        "firewall-output-gre",
        "GRE to clients",
        ("output", "postrouting"),
        Packet("gre", oif=iif),
        "nft insert rule inet filter output meta l4proto gre accept",
        "iptables -I OUTPUT -p gre -j ACCEPT",
    )


def client_doors(facts: HostFacts, server: IPv4Address | None) -> Iterator[Check]:
    """What a client's own firewall does with the two channels."""
    iif = facts.uplink
    out = ("output", "postrouting")
    yield _gate(
        facts,
        "firewall-output-1723",
        "TCP port 1723 to the server",
        out,
        Packet("tcp", CONTROL_PORT, destination=server, oif=iif),
        "nft insert rule inet filter output tcp dport 1723 accept",
        "iptables -I OUTPUT -p tcp --dport 1723 -j ACCEPT",
    )
    yield _gate(
        facts,
        "firewall-output-gre",
        "GRE to the server",
        out,
        Packet("gre", destination=server, oif=iif),
        "nft insert rule inet filter output meta l4proto gre accept",
        "iptables -I OUTPUT -p gre -j ACCEPT",
    )
    back = Packet("gre", source=server, iif=iif, state="established", local=True)
    yield _gate(
        facts,
        "firewall-input-gre",
        "GRE from the server",
        ("prerouting", "input"),
        back,
        "nft insert rule inet filter input meta l4proto gre accept",
        "iptables -I INPUT -p gre -j ACCEPT",
    )


def through(facts: HostFacts) -> Iterator[Check]:
    """What clients send through their tunnels, out and back."""
    tunnel, uplink = facts.daemon.interface, facts.uplink
    client = facts.daemon.pools[0].network_address if facts.daemon.pools else None
    star = "ppp*" if tunnel.startswith("ppp") else tunnel
    there = Packet("tcp", 443, source=client, destination=OUTSIDE, iif=tunnel, oif=uplink)
    back = Packet("tcp", None, source=OUTSIDE, destination=client, iif=uplink, oif=tunnel, state="established")
    yield _gate(
        facts,
        "firewall-forward",
        "what clients send through the tunnel",
        ("forward",),
        there,
        f'nft insert rule inet filter forward iifname "{star}" accept',
        f"iptables -I FORWARD -i {star.replace('*', '+')} -j ACCEPT",
    )
    yield _gate(
        facts,
        "firewall-forward-back",
        "what comes back to clients",
        ("forward",),
        back,
        f'nft insert rule inet filter forward oifname "{star}" ct state established,related accept',
        f"iptables -I FORWARD -o {star.replace('*', '+')} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    )


def router_doors(facts: HostFacts) -> Iterator[Check]:
    """Both channels through a router, from the inside to a server outside, and GRE back."""
    uplink = facts.uplink
    out = Packet("tcp", CONTROL_PORT, destination=OUTSIDE, oif=uplink)
    yield _gate(
        facts,
        "firewall-forward-1723",
        "TCP port 1723",
        ("forward",),
        out,
        "nft insert rule inet filter forward tcp dport 1723 accept",
        "iptables -I FORWARD -p tcp --dport 1723 -j ACCEPT",
    )
    yield _gate(
        facts,
        "firewall-forward-gre",
        "GRE to the server",
        ("forward",),
        Packet("gre", destination=OUTSIDE, oif=uplink),
        "nft insert rule inet filter forward meta l4proto gre accept",
        "iptables -I FORWARD -p gre -j ACCEPT",
    )
    back = Packet("gre", source=OUTSIDE, iif=uplink, state="established")
    yield _gate(
        facts,
        "firewall-forward-gre-back",
        "GRE from the server",
        ("forward",),
        back,
        "nft insert rule inet filter forward meta l4proto gre accept",
        "iptables -I FORWARD -p gre -j ACCEPT",
    )


def translation(facts: HostFacts) -> Iterator[Check]:
    """Whether clients' private addresses are translated on their way out."""
    daemon, uplink = facts.daemon, facts.uplink
    itself = "nat" in daemon.sees_to
    client = daemon.pools[0].network_address if daemon.pools else None
    if client is not None and not is_hidden(client):
        yield ok(
            "nat",
            "Clients have public addresses: no NAT is needed.",
            f"{daemon.source or daemon.name}: {daemon.pools[0]}",
        )
        return
    outcome = walk(
        facts.firewall.ruleset,
        ("postrouting",),
        Packet("tcp", 443, source=client, destination=OUTSIDE, iif=daemon.interface, oif=uplink),
        "nat",
    )
    pool = str(daemon.pools[0]) if daemon.pools else "10.0.0.0/24"
    way_out = uplink or "eth0"
    fixes = (translate_nft(pool, way_out), translate_iptables(pool, way_out))
    if outcome.translated:
        yield ok("nat", "Clients' addresses are translated on their way out.", outcome.rule)
    elif outcome.perhaps:
        yield unknown("nat", "Whether clients' addresses are translated depends on a rule.", outcome.perhaps[0])
    elif unseen(facts):
        yield unknown("nat", "Whether clients' addresses are translated is not known.", facts.firewall.trouble)
    elif itself and not facts.listeners:
        yield ok(
            "nat",
            "Nothing translates clients' addresses yet; Holdfast does it when it starts.",
            "no rule at the nat hook postrouting applies",
        )
    else:
        yield _untranslated(facts, fixes)


def _untranslated(facts: HostFacts, fixes: tuple[str, ...]) -> Check:
    why = "no rule at the nat hook postrouting applies to a client's packet that leaves by " + (
        facts.uplink or "any interface"
    )
    own = facts.uplink_address
    if own is not None and is_hidden(own):
        return warning(
            "nat",
            "Clients' private addresses leave as they are.",
            f"{why}; right only where the network behind {facts.uplink} has a route back to them",
            *fixes,
        )
    return fault("nat", "Clients' private addresses leave as they are, and no answer finds the way back.", why, *fixes)


def unseen(facts: HostFacts) -> bool:
    """Whether rules may exist that could not be read."""
    return bool(facts.firewall.trouble) and not facts.firewall.ruleset


def _gate(facts: HostFacts, name: str, what: str, hooks: tuple[str, ...], packet: Packet, *fixes: str) -> Check:
    if unseen(facts):
        return unknown(name, f"Whether the firewall lets {what} pass is not known.", facts.firewall.trouble)
    outcome: Outcome = walk(facts.firewall.ruleset, hooks, packet)
    if outcome.perhaps:
        state = "dropped" if outcome.dropped else "accepted"
        return unknown(
            name,
            f"Whether the firewall lets {what} pass depends on a rule.",
            f"{outcome.perhaps[0]} (else {state}: {outcome.rule or 'no rule'})",
            *(fixes if outcome.dropped else ()),
        )
    if outcome.dropped:
        return fault(name, f"The firewall drops {what}.", outcome.rule, *fixes)
    return ok(name, f"The firewall lets {what} pass.", outcome.rule or "no rule is in the way")
