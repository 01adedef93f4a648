"""Connection tracking, MTU, and whether there will be a log to read. Pure."""

from collections.abc import Iterator

from holdfast.advise.check import Check, fault, ok, unknown, warning
from holdfast.advise.facts import HostFacts, Interface
from holdfast.advise.forwarding_checks import unseen
from holdfast.advise.kernel_module import kernel_module
from holdfast.advise.packet_walk import rules_with
from holdfast.network.commands import CLAMP, HELPER
from holdfast.wire.hidden import is_hidden

TIMEOUT, STREAM = "net/netfilter/nf_conntrack_gre_timeout", "net/netfilter/nf_conntrack_gre_timeout_stream"
AUTOMATIC = "net/netfilter/nf_conntrack_helper"
NO_KERNEL = "install a kernel with it (OpenWrt: kmod-nf-nathelper-extra)"
NO_TRANSLATION = "no rule has masquerade or snat"
ENCRYPTED_OVERHEAD = 44
"""Octets at most of IP 20, GRE 16, PPP 4 and MPPE 4 around an inner packet."""
MIDDLING_MTU = 1400
LOW_SPACE, NO_SPACE = 200 << 20, 20 << 20
"""Octets that are little and next to nothing for logs."""


def helper_of_server(facts: HostFacts) -> Check:
    """A server on its own public address needs no helper; one behind a NAT needs it there."""
    own = facts.uplink_address
    if own is None:
        return unknown(
            "conntrack-helper",
            "Whether a NAT stands before this host is not known.",
            "no default route with an IPv4 address",
        )
    if is_hidden(own):
        return unknown(
            "conntrack-helper",
            "A NAT stands before this host: it must forward TCP 1723 and GRE, and know PPTP.",
            f"{facts.uplink} has the private address {own}; the router's rules cannot be seen from here",
            "on the router: holdfast doctor --role nat-router",
        )
    return ok(
        "conntrack-helper", "No connection-tracking helper is needed on a public address.", f"{facts.uplink} has {own}"
    )


def helper_of_router(facts: HostFacts) -> Iterator[Check]:
    """A NAT router needs module and rule; since Linux 4.7 the module alone does nothing."""
    if not (unseen(facts) or translations(facts)):
        yield ok("conntrack-helper", "This host translates nothing: no helper is needed.", NO_TRANSLATION)
        return
    rules = helper_rules(facts)
    automatic = facts.sysctl.get(AUTOMATIC) == "1"
    if rules or automatic:
        yield ok(
            "conntrack-helper",
            "The PPTP helper is attached to port 1723.",
            rules[0] if rules else f"/proc/sys/{AUTOMATIC} is 1",
        )
    elif unseen(facts):
        yield unknown("conntrack-helper", "Whether the PPTP helper is attached is not known.", facts.firewall.trouble)
    else:
        why = "no rule has `ct helper set` or CT --helper"
        if "nf_conntrack_pptp" in facts.modules:
            why += "; nf_conntrack_pptp is there, but since Linux 4.7 no helper is attached by itself"
        yield fault(
            "conntrack-helper",
            "The PPTP helper is not attached: only one client at a time gets through to a server, or none.",
            why,
            *HELPER,
        )
    for module, what in (("nf_conntrack_pptp", "track PPTP calls"), ("nf_nat_pptp", "translate Call IDs")):
        yield kernel_module(facts, module, what, NO_KERNEL, by_itself=False)


def router_nat(facts: HostFacts) -> Iterator[Check]:
    """Whether a NAT router is one, and whether what it forwards to a server inside is both channels."""
    found = translations(facts)
    if found:
        yield ok("nat", "This host translates addresses.", found[0])
    elif unseen(facts):
        yield unknown("nat", "Whether this host translates addresses is not known.", facts.firewall.trouble)
    else:
        yield warning("nat", "No rule translates addresses: this is no NAT router.", NO_TRANSLATION)
    forwarded = [rule for rule in rules_with(facts.firewall.ruleset, "dnat") if "1723" in rule]
    if not forwarded:
        return
    both = any(word in rule for rule in rules_with(facts.firewall.ruleset, "dnat") for word in ("gre", " 47"))
    if both or helper_rules(facts):
        yield ok("port-forward", "Both channels reach the server inside.", forwarded[0])
    else:
        fix = "nft add rule ip nat prerouting iifname UPLINK meta l4proto gre dnat to SERVER"
        yield fault("port-forward", "TCP 1723 is forwarded to a server inside, GRE is not.", forwarded[0], fix, *HELPER)


def translations(facts: HostFacts) -> list[str]:
    """Return the rules that translate source addresses."""
    words = ("masquerade", "snat", "MASQUERADE", "SNAT")
    return [rule for word in words for rule in rules_with(facts.firewall.ruleset, word)]


def helper_rules(facts: HostFacts) -> list[str]:
    """Return the rules that attach a helper."""
    return rules_with(facts.firewall.ruleset, "ct helper")


def timeouts(facts: HostFacts) -> Iterator[Check]:
    """How long GRE may be silent before connection tracking forgets it, beside the keepalive."""
    values = {key: int(text) for key in (TIMEOUT, STREAM) if (text := facts.sysctl.get(key, "")).isdigit()}
    if STREAM not in values:
        yield ok("conntrack-timeouts", "This host does not track GRE.", f"no /proc/sys/{STREAM}")
        return
    seen = ", ".join(f"{key.rpartition('/')[2]} {value} s" for key, value in values.items())
    echo = facts.daemon.echo_interval
    where = facts.daemon.source or facts.daemon.name
    if echo is None:
        yield ok(
            "conntrack-timeouts",
            f"GRE is forgotten after {values[STREAM]} s of silence: keep LCP echoes more frequent.",
            seen,
        )
    elif echo == 0:
        yield warning(
            "conntrack-timeouts",
            "Nothing keeps a quiet tunnel alive: LCP echoes are off.",
            f"{seen}; {where}: no lcp-echo-interval",
            "pppd: lcp-echo-interval 20, lcp-echo-failure 3",
            f"sysctl -w {STREAM.replace('/', '.')}=600",
        )
    elif echo >= min(values.values()):
        yield warning(
            "conntrack-timeouts",
            "LCP echoes come more seldom than connection tracking forgets.",
            f"{seen}; {where}: an echo each {echo:g} s",
            f"pppd: lcp-echo-interval {max(5, min(values.values()) // 2)}",
            f"sysctl -w {STREAM.replace('/', '.')}=600",
        )
    else:
        yield ok(
            "conntrack-timeouts",
            "LCP echoes come more often than connection tracking forgets.",
            f"{seen}; an echo each {echo:g} s",
        )


def table_room(facts: HostFacts) -> Iterator[Check]:
    """Whether connection tracking has room."""
    count, most = (facts.sysctl.get(f"net/netfilter/nf_conntrack_{name}", "") for name in ("count", "max"))
    if count.isdigit() and most.isdigit() and int(count) > 0.9 * int(most) > 0:
        fix = f"sysctl -w net.netfilter.nf_conntrack_max={2 * int(most)}"
        yield warning(
            "conntrack-room",
            "The table of connection tracking is nearly full; new tunnels will be dropped.",
            f"nf_conntrack_count {count} of {most}",
            fix,
        )


def sizes(facts: HostFacts, *, forwards: bool) -> Iterator[Check]:
    """The uplink's MTU, and who clamps the TCP MSS."""
    uplink = facts.interface(facts.uplink)
    if uplink is None:
        yield unknown("uplink-mtu", "The MTU of the uplink is not known.", "there is no default route")
    else:
        yield _uplink(facts, uplink)
    if not forwards:
        return
    rules = rules_with(facts.firewall.ruleset, "maxseg") + rules_with(facts.firewall.ruleset, "TCPMSS")
    if "mss" in facts.daemon.sees_to:
        yield ok("mss-clamp", "Holdfast clamps the TCP MSS of every tunnel itself.", "the packet engine does it")
    elif rules:
        yield ok("mss-clamp", "The TCP MSS is clamped.", rules[0])
    elif unseen(facts):
        yield unknown("mss-clamp", "Whether the TCP MSS is clamped is not known.", facts.firewall.trouble)
    else:
        yield warning(
            "mss-clamp",
            "The TCP MSS is not clamped: large transfers stall where ICMP is blocked.",
            "no rule sets maxseg or TCPMSS",
            *CLAMP,
        )


def _uplink(facts: HostFacts, uplink: Interface) -> Check:
    most, wanted = uplink.mtu - ENCRYPTED_OVERHEAD, facts.daemon.mtu
    seen = f"{uplink.name} has MTU {uplink.mtu}; with MPPE up to {ENCRYPTED_OVERHEAD} octets go around an inner packet"
    fix = mtu_fix(facts, min(most, MIDDLING_MTU))
    if wanted is not None and wanted > most:
        title = f"The tunnel's MTU {wanted} is too big for the uplink: every large packet is fragmented."
        return warning("uplink-mtu", title, seen, fix)
    if wanted is None and most < MIDDLING_MTU:
        return warning("uplink-mtu", f"The uplink is narrow: a tunnel's MTU must not pass {most}.", seen, fix)
    return ok("uplink-mtu", f"A tunnel's MTU may be up to {most} here.", seen)


def mtu_fix(facts: HostFacts, size: int) -> str:
    """Return how to make tunnels smaller, in the words of the program at hand."""
    if facts.daemon.uses_pppd:
        return f"pppd: mtu {size} mru {size}"
    return f"holdfast.toml, section [ppp]: mtu = {size}, mru = {size}"


def logs(facts: HostFacts) -> Iterator[Check]:
    """Whether what happens now can be read tomorrow."""
    kept = facts.logs
    if kept.journal_persistent or kept.files:
        yield ok(
            "logs-kept",
            "Messages are kept over a boot.",
            "/var/log/journal" if kept.journal_persistent else kept.files[0],
        )
    else:
        yield warning(
            "logs-kept",
            "Messages are gone after a boot.",
            "neither /var/log/journal nor a file of syslog exists",
            "mkdir -p /var/log/journal && systemctl restart systemd-journald",
        )
    if not kept.size:
        yield unknown("logs-space", "The space for logs is not known.", "/var/log cannot be looked at")
        return
    seen = f"/var/log: {kept.free >> 20} MiB free of {kept.size >> 20}"
    if kept.free < NO_SPACE:
        yield fault(
            "logs-space",
            "There is no space left for logs.",
            seen,
            "journalctl --vacuum-size=100M",
            "du -xh /var | sort -h | tail",
        )
    elif kept.free < LOW_SPACE:
        yield warning("logs-space", "There is little space left for logs.", seen, "journalctl --vacuum-size=100M")
    else:
        yield ok("logs-space", "There is space for logs.", seen)
