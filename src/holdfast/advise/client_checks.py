"""What a try at a server says, and what a client's host needs. Pure."""

from collections.abc import Iterator

from holdfast.advise.check import Check, Verdict, fault, ok, unknown, warning
from holdfast.advise.facts import HostFacts
from holdfast.advise.kernel_checks import CONTAINER
from holdfast.advise.path_checks import ENCRYPTED_OVERHEAD, helper_rules, mtu_fix
from holdfast.advise.reach import Reach, Tcp
from holdfast.network.commands import HELPER
from holdfast.wire.hidden import is_hidden

CAPTURE = "holdfast capture -i IF vpn.pcap (while the client dials), then holdfast diagnose vpn.pcap"
OTHER_NETWORK = "Try from another network, such as a phone's hotspot: when it works there, the path is to blame."
SAFE_METHODS = frozenset({"ms-chap-v2", "eap"})
TROUBLES = {
    Tcp.REFUSED: (
        "The server refuses TCP port 1723: nothing listens there, or a firewall resets it.",
        "on the server: holdfast doctor --role server",
    ),
    Tcp.SILENT: (
        "TCP port 1723 of the server does not answer: a firewall drops it, or the host is down.",
        "on the server: holdfast doctor --role server",
    ),
    Tcp.UNREACHABLE: ("The server cannot be reached from here.", "ip route get SERVER"),
}


def client_kernel(facts: HostFacts) -> Iterator[Check]:
    """A client needs the kernel's PPP (pptp-linux with pppd) or TUN and rights (`holdfast dial`): one of the two."""
    tun = facts.devices.get("/dev/net/tun", "it was not looked at")
    ppp = facts.devices.get("/dev/ppp", "it was not looked at")
    mppe = "ppp_mppe" in facts.modules | (facts.loadable or frozenset())
    ways = [name for name, trouble in (("holdfast dial", tun), ("pptp-linux with pppd", ppp)) if not trouble]
    seen = f"/dev/net/tun: {tun or 'opens'}; /dev/ppp: {ppp or 'opens'}"
    if ways:
        yield ok("client-kernel", f"This host can carry a tunnel: {', '.join(ways)}.", seen)
    elif not facts.root:
        yield unknown(
            "client-kernel", "Whether this host can carry a tunnel is not known.", f"{seen}; run this as root"
        )
    else:
        yield fault(
            "client-kernel", "Neither TUN nor PPP is there: no tunnel can be made.", seen, "modprobe tun", CONTAINER
        )
    if not ppp and not mppe and facts.loadable is not None:
        yield warning(
            "client-mppe",
            "The kernel has PPP without MPPE: pppd cannot encrypt.",
            "ppp_mppe is not there",
            "holdfast dial needs no module",
        )


def route(facts: HostFacts, server: str) -> Check:
    """The way to the server must not be the tunnel itself."""
    uplink = facts.interface(facts.uplink)
    if uplink is None:
        return fault("route", "There is no route to the server.", f"ip route get {server}", "ip route; ip link")
    if uplink.tunnel:
        fix = f"ip route add {server}/32 via GATEWAY dev UPLINK (holdfast dial does it itself)"
        return fault(
            "route",
            "The route to the server runs through a tunnel: it carries itself away.",
            f"{server} leaves by {uplink.name}",
            fix,
        )
    return ok(
        "route",
        "The route to the server leaves by a real interface.",
        f"{server} leaves by {uplink.name}, MTU {uplink.mtu}",
    )


def control(reach: Reach) -> Iterator[Check]:
    """TCP 1723: open, and answered by something that speaks PPTP."""
    if reach.tcp is not Tcp.OPEN:
        title, fix = TROUBLES[reach.tcp]
        yield fault(
            "tcp-1723",
            title,
            f"{reach.server}: {reach.trouble}",
            fix.replace("SERVER", str(reach.server)),
            OTHER_NETWORK,
        )
        return
    yield ok("tcp-1723", "TCP port 1723 opens. That says nothing about GRE.", f"{reach.server}")
    if reach.introduced:
        yield ok(
            "pptp-answers",
            "The server speaks PPTP.",
            f"Start-Control-Connection-Reply of {reach.peer or 'a server without a name'}",
        )
    else:
        why = reach.refusal or reach.trouble or "no Start-Control-Connection-Reply came"
        yield fault(
            "pptp-answers",
            "The port opens, and PPTP is not answered.",
            why,
            "on the server: holdfast doctor --role server; its log of this minute",
        )


def gre(facts: HostFacts, reach: Reach, *, wanted: bool) -> Iterator[Check]:
    """The call, GRE both ways, and the method that the server asks for."""
    if not reach.introduced:
        return
    if not wanted:
        yield unknown("gre-both-ways", "Whether GRE passes was not tried.", "--no-call was given")
        return
    if not reach.called:
        yield fault(
            "call",
            "The server refuses the call.",
            reach.refusal or "no Outgoing-Call-Reply came",
            "the server's log of this minute; its address pool and limits",
        )
        return
    yield ok("call", "The server grants a call.", "Outgoing-Call-Reply with result 1")
    if not reach.gre_tried:
        yield unknown(
            "gre-both-ways",
            "Whether GRE passes was not tried.",
            f"a raw socket needs CAP_NET_RAW: {reach.gre_trouble}",
            f"sudo holdfast doctor --role client --server {reach.server}",
        )
        return
    yield _both_ways(reach)
    if reach.methods:
        yield _method(facts, reach)


def _both_ways(reach: Reach) -> Check:
    said = f"; {reach.gre_trouble}" if reach.gre_trouble else ""
    seen = f"{reach.gre_heard} GRE packets of the call came{said}"
    if reach.gre_heard and reach.gre_answered:
        return ok("gre-both-ways", "GRE passes in both directions.", f"{seen}, and ours were answered")
    if reach.gre_heard:
        return fault(
            "gre-both-ways",
            "GRE comes from the server, and ours does not arrive there.",
            seen,
            "let IP protocol 47 out on this host and its router",
            "on the server: holdfast doctor --role server",
            CAPTURE,
        )
    return fault(
        "gre-both-ways",
        "No GRE comes back: IP protocol 47 is blocked, or a NAT on the way does not know PPTP.",
        seen,
        "switch PPTP passthrough (ALG) on in the router; on a Linux router: holdfast doctor --role nat-router",
        OTHER_NETWORK,
        CAPTURE,
    )


def _method(facts: HostFacts, reach: Reach) -> Check:
    names = ", ".join(reach.methods)
    seen = f"the server's LCP Configure-Request: {names}"
    if set(reach.methods) <= facts.daemon.refuses:
        title = f"The server asks for {names}, and this client takes it not."
        where = facts.daemon.source
        return fault("auth-method", title, f"{seen}; {where} refuses it", f"take the refuse- lines out of {where}")
    if set(reach.methods) & SAFE_METHODS:
        return ok("auth-method", f"The server asks for {names}.", seen)
    if reach.methods == ["none"]:
        return warning(
            "auth-method", "The server asks nobody for a password.", seen, "pppd: require-mschap-v2 on the server"
        )
    return warning(
        "auth-method",
        f"The server asks for {names}: no encryption follows from it, or a weak one.",
        seen,
        "pppd: require-mschap-v2 require-mppe-128 on both ends",
    )


def nat_passthrough(facts: HostFacts, reach: Reach | None) -> Check:
    """A NAT between: the router's, which only the try shows, or this host's own."""
    own = facts.uplink_address
    if own is None:
        return unknown(
            "nat-passthrough", "Whether a NAT stands between is not known.", "the uplink has no IPv4 address"
        )
    passed = reach is not None and reach.gre_heard > 0 and reach.gre_answered
    if not is_hidden(own):
        return ok(
            "nat-passthrough", "This host has a public address: no NAT stands before it.", f"{facts.uplink} has {own}"
        )
    if passed:
        return ok(
            "nat-passthrough",
            "This host has a private address, and what translates it on the way lets PPTP pass.",
            f"{facts.uplink} has {own}; GRE was answered",
        )
    if reach is not None and is_hidden(reach.server):
        return ok(
            "nat-passthrough",
            "Both ends have private addresses: probably no NAT stands between.",
            f"{own} and {reach.server}",
        )
    return unknown(
        "nat-passthrough",
        "A NAT stands before this host; whether it passes PPTP only a try with GRE shows.",
        f"{facts.uplink} has the private address {own}",
        "switch PPTP passthrough (ALG) on in the router",
    )


def own_nat(facts: HostFacts) -> Iterator[Check]:
    """A client that is a NAT router for others too."""
    if any("masquerade" in entry.get("rule", {}).get("expr", [{}])[-1] for entry in facts.firewall.ruleset):
        found = helper_rules(facts)
        if found:
            yield ok("conntrack-helper", "This host translates for others, with the PPTP helper attached.", found[0])
        else:
            yield Check(
                "conntrack-helper",
                Verdict.WARNING,
                "This host translates for others without the PPTP helper: a second one who calls fails.",
                "a masquerade rule, and no `ct helper set`",
                HELPER,
            )


def path_mtu(facts: HostFacts, reach: Reach) -> Iterator[Check]:
    """What the kernel knows of the path, beside the uplink."""
    uplink = facts.interface(facts.uplink)
    if reach.path_mtu and uplink and reach.path_mtu < uplink.mtu:
        most = reach.path_mtu - ENCRYPTED_OVERHEAD
        yield warning(
            "path-mtu",
            f"The path carries less than the uplink: a tunnel's MTU must not pass {most}.",
            f"path MTU {reach.path_mtu}, {uplink.name} has {uplink.mtu}",
            mtu_fix(facts, most),
        )
