"""Hosts as the doctor sees them: facts with nothing wrong, to be spoilt by tests."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from holdfast.advise.check import Check, Verdict
from holdfast.advise.facts import Assignment, Daemon, Firewall, HostFacts, Interface, Listener, Logs
from holdfast.advise.iptables_rules import statements

FORWARD = "net/ipv4/ip_forward"
STREAM = "net/netfilter/nf_conntrack_gre_timeout_stream"
SAVED = """\
*nat
:POSTROUTING ACCEPT
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
*mangle
:FORWARD ACCEPT
-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
"""
SERVER = HostFacts(
    sysctl={FORWARD: "1", "net/netfilter/nf_conntrack_gre_timeout": "30", STREAM: "180"},
    boot_settings=(Assignment("/etc/sysctl.conf:3", FORWARD, "1"),),
    modules=frozenset({"ppp_generic", "ppp_mppe"}),
    loadable=frozenset({"tun", "nf_conntrack_pptp", "nf_nat_pptp"}),
    devices={"/dev/net/tun": "", "/dev/ppp": ""},
    listeners=(Listener("0.0.0.0", "pptpd", 612, frozenset({"CAP_NET_ADMIN", "CAP_NET_RAW"})),),
    firewall=Firewall(tuple(statements(SAVED))),
    interfaces=(Interface("eth0", 1500, addresses=("198.51.100.2/24",)),),
    uplink="eth0",
    logs=Logs(journal_persistent=True, free=10 << 30, size=20 << 30),
    daemon=Daemon("pptpd", "/etc/pptpd.conf", (ip_network("10.0.0.0/28"),), echo_interval=20, mtu=1400),
)
"""pptpd on a public address."""
HOLDFAST = replace(
    SERVER,
    listeners=(replace(SERVER.listeners[0], program="holdfast"),),
    daemon=replace(
        SERVER.daemon, name="holdfast", interface="holdfast0", sees_to=frozenset({"forwarding", "nat", "mss"})
    ),
)


def rules(text: str) -> Firewall:
    """Return a firewall as `iptables-save` writes it."""
    return Firewall(tuple(statements(text)))


def found(checks: Iterable[Check]) -> dict[str, Check]:
    """Return checks by their id, each of which must be there once."""
    by_id: dict[str, Check] = {}
    for check in checks:
        assert check.id not in by_id, f"{check.id} twice"
        by_id[check.id] = check
    return by_id


def troubles(checks: Iterable[Check]) -> dict[str, Verdict]:
    """Return what is not well."""
    return {check.id: check.verdict for check in checks if check.verdict is not Verdict.OK}


def uplink(address: str, **more: Any) -> dict[str, Any]:
    """Return the facts of another uplink."""
    return {"interfaces": (Interface("eth0", more.pop("mtu", 1500), addresses=(f"{address}/24",), **more),)}
