"""The doctor's lists over recorded hosts: one that is well, and one thing after another spoilt."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_network
from typing import Any

import pytest

from holdfast.advise.check import Verdict
from holdfast.advise.doctor import examine_client, examine_router, examine_server
from holdfast.advise.facts import Assignment, Daemon, Firewall, HostFacts, Interface, Listener, Logs
from holdfast.advise.reach import Reach, Tcp
from support.hosts import FORWARD, HOLDFAST, SAVED, SERVER, STREAM, found, rules, troubles, uplink

FAULT, WARNING, UNKNOWN = Verdict.FAULT, Verdict.WARNING, Verdict.UNKNOWN
FILTER = "*filter\n:INPUT {input}\n:FORWARD {forward}\n:OUTPUT {output}\n"


def closed(**policies: str) -> Firewall:
    told = {"input": "ACCEPT", "forward": "ACCEPT", "output": "ACCEPT", **policies}
    return rules(SAVED + FILTER.format(**told))


@pytest.mark.parametrize("host", [SERVER, HOLDFAST], ids=["pptpd", "holdfast"])
def test_a_host_that_is_well(host: HostFacts) -> None:
    assert not troubles(examine_server(host))


SPOILT: list[tuple[str, HostFacts, dict[str, Any], dict[str, Verdict]]] = [
    ("nobody listens", SERVER, {"listeners": ()}, {"listener": FAULT}),
    ("only loopback", SERVER, {"listeners": (Listener("127.0.0.1", "pptpd", 9),)}, {"listener": FAULT}),
    ("taken by another", HOLDFAST, {"listeners": SERVER.listeners}, {"listener": WARNING, "rights": Verdict.OK}),
    ("not forwarding", SERVER, {"sysctl": {FORWARD: "0"}}, {"ip-forward": FAULT}),
    ("running and not forwarding", HOLDFAST, {"sysctl": {FORWARD: "0"}}, {"ip-forward": FAULT}),
    ("forwarding unknown", SERVER, {"sysctl": {}}, {"ip-forward": UNKNOWN}),
    ("not after a boot", SERVER, {"boot_settings": ()}, {"ip-forward-persisted": WARNING}),
    (
        "switched off by a later file",
        SERVER,
        {"boot_settings": (*SERVER.boot_settings, Assignment("/etc/sysctl.d/99-hard.conf:1", FORWARD, "0"))},
        {"ip-forward-persisted": FAULT},
    ),
    ("no PPP", SERVER, {"modules": frozenset()}, {"kernel-ppp-generic": FAULT, "kernel-ppp-mppe": FAULT}),
    (
        "PPP unknown",
        SERVER,
        {"modules": frozenset(), "loadable": None},
        {"kernel-ppp-generic": UNKNOWN, "kernel-ppp-mppe": UNKNOWN},
    ),
    ("no /dev/ppp", SERVER, {"devices": {"/dev/ppp": "it does not exist"}}, {"kernel-ppp-device": FAULT}),
    (
        "/dev/ppp is root's",
        SERVER,
        {"devices": {"/dev/ppp": "Permission denied"}, "root": False},
        {"kernel-ppp-device": UNKNOWN},
    ),
    ("no TUN", HOLDFAST, {"devices": {"/dev/net/tun": "it does not exist"}}, {"kernel-tun": FAULT}),
    ("no TUN in the kernel", HOLDFAST, {"devices": {}, "loadable": frozenset()}, {"kernel-tun": FAULT}),
    (
        "without rights",
        HOLDFAST,
        {"listeners": (replace(HOLDFAST.listeners[0], capabilities=frozenset({"CAP_NET_ADMIN"})),)},
        {"rights": FAULT},
    ),
    (
        "not root, not running",
        HOLDFAST,
        {"listeners": (), "root": False, "capabilities": frozenset()},
        {"listener": FAULT, "rights": UNKNOWN},
    ),
    (
        "input closed",
        SERVER,
        {"firewall": closed(input="DROP")},
        {"firewall-input-1723": FAULT, "firewall-input-gre": FAULT},
    ),
    ("output closed", SERVER, {"firewall": closed(output="DROP")}, {"firewall-output-gre": FAULT}),
    (
        "forward closed",
        SERVER,
        {"firewall": closed(forward="DROP")},
        {"firewall-forward": FAULT, "firewall-forward-back": FAULT},
    ),
    (
        "only TCP let in",
        SERVER,
        {"firewall": rules(SAVED + "*filter\n:INPUT DROP\n-A INPUT -p tcp --dport 1723 -j ACCEPT\n")},
        {"firewall-input-gre": FAULT},
    ),
    (
        "what comes back is dropped",
        SERVER,
        {"firewall": rules(SAVED + "*filter\n:FORWARD DROP\n-A FORWARD -i ppp+ -j ACCEPT\n")},
        {"firewall-forward-back": FAULT},
    ),
    (
        "let in by a list that cannot be read",
        SERVER,
        {
            "firewall": rules(
                SAVED
                + "*filter\n:INPUT DROP\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -p 47 -m set --match-set vpn src -j ACCEPT"
            )
        },
        {"firewall-input-gre": UNKNOWN},
    ),
    ("no masquerade", SERVER, {"firewall": rules(SAVED.replace("MASQ", "LOG -j RETURN#"))}, {"nat": FAULT}),
    ("masquerade for others", SERVER, {"firewall": rules(SAVED.replace("10.0.0.0/24", "10.9.0.0/24"))}, {"nat": FAULT}),
    (
        "routed behind a private uplink",
        SERVER,
        {
            "firewall": rules(SAVED.partition("*mangle")[2] and "*mangle" + SAVED.partition("*mangle")[2]),
            **uplink("192.168.1.2"),
        },
        {"nat": WARNING, "conntrack-helper": UNKNOWN},
    ),
    ("no echo", SERVER, {"daemon": replace(SERVER.daemon, echo_interval=0)}, {"conntrack-timeouts": WARNING}),
    ("echo too seldom", SERVER, {"daemon": replace(SERVER.daemon, echo_interval=60)}, {"conntrack-timeouts": WARNING}),
    ("MTU too big", SERVER, {"daemon": replace(SERVER.daemon, mtu=1480)}, {"uplink-mtu": WARNING}),
    ("PPPoE with a small MTU", SERVER, uplink("198.51.100.2", mtu=1420), {"uplink-mtu": WARNING}),
    ("no clamp", SERVER, {"firewall": rules(SAVED.partition("*mangle")[0])}, {"mss-clamp": WARNING}),
    ("no log", SERVER, {"logs": Logs(free=1 << 40, size=1 << 41)}, {"logs-kept": WARNING}),
    ("little space", SERVER, {"logs": replace(SERVER.logs, free=100 << 20)}, {"logs-space": WARNING}),
    ("no space", SERVER, {"logs": replace(SERVER.logs, free=1 << 20)}, {"logs-space": FAULT}),
    (
        "tracking is full",
        SERVER,
        {
            "sysctl": {
                **SERVER.sysctl,
                "net/netfilter/nf_conntrack_count": "995",
                "net/netfilter/nf_conntrack_max": "1000",
            }
        },
        {"conntrack-room": WARNING},
    ),
    ("no default route", SERVER, {"uplink": ""}, {"nat": UNKNOWN, "conntrack-helper": UNKNOWN, "uplink-mtu": UNKNOWN}),
]


@pytest.mark.parametrize(
    ("host", "changes", "expected"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT]
)
def test_what_is_spoilt_is_found_and_nothing_else(
    host: HostFacts, changes: dict[str, Any], expected: dict[str, Verdict]
) -> None:
    checks = list(examine_server(replace(host, **changes)))
    assert troubles(checks) == {name: verdict for name, verdict in expected.items() if verdict is not Verdict.OK}
    for check in checks:
        assert check.verdict is Verdict.OK or check.evidence
        assert check.verdict not in {FAULT, WARNING} or check.fixes


def test_rules_that_cannot_be_read_are_unknown_not_well() -> None:
    checks = found(examine_server(replace(SERVER, firewall=Firewall(trouble="nft refuses: Operation not permitted"))))
    unseen = {name for name, check in checks.items() if check.verdict is UNKNOWN}
    assert unseen >= {"firewall-input-1723", "firewall-input-gre", "firewall-forward", "nat", "mss-clamp"}
    assert "not permitted" in checks["nat"].evidence


def test_before_its_first_start_holdfast_need_not_have_changed_anything() -> None:
    before = replace(HOLDFAST, listeners=(), sysctl={FORWARD: "0"}, boot_settings=(), firewall=Firewall())
    assert troubles(examine_server(before)) == {"listener": FAULT}


def test_public_pools_need_no_nat() -> None:
    public = replace(SERVER, firewall=rules(SAVED.partition("*nat")[0] + "*mangle" + SAVED.partition("*mangle")[2]))
    public = replace(public, daemon=replace(SERVER.daemon, pools=(ip_network("203.0.113.0/28"),)))
    assert not troubles(examine_server(public))


def test_accel_ppp_needs_the_kernel_driver() -> None:
    accel = replace(SERVER, daemon=replace(SERVER.daemon, name="accel-ppp"))
    accel = replace(accel, listeners=(replace(SERVER.listeners[0], program="accel-pppd"),))
    assert troubles(examine_server(accel)) == {"kernel-pptp": FAULT}


ROUTER = replace(
    SERVER,
    modules=frozenset({"nf_conntrack_pptp", "nf_nat_pptp"}),
    listeners=(),
    daemon=Daemon("router", echo_interval=None),
    firewall=rules(f"{SAVED}*raw\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp --dport 1723 -j CT --helper pptp\n"),
)


def test_a_router_that_is_well() -> None:
    assert not troubles(examine_router(ROUTER))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"firewall": SERVER.firewall}, {"conntrack-helper": FAULT}),
        ({"firewall": SERVER.firewall, "sysctl": {**SERVER.sysctl, "net/netfilter/nf_conntrack_helper": "1"}}, {}),
        ({"modules": frozenset()}, {"kernel-nf-conntrack-pptp": WARNING, "kernel-nf-nat-pptp": WARNING}),
        (
            {"modules": frozenset(), "loadable": frozenset()},
            {"kernel-nf-conntrack-pptp": FAULT, "kernel-nf-nat-pptp": FAULT},
        ),
        ({"firewall": rules("*mangle\n:FORWARD ACCEPT\n-A FORWARD -j TCPMSS --set-mss 1360\n")}, {"nat": WARNING}),
        (
            {
                "firewall": rules(
                    SAVED
                    + "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp --dport 1723 -j DNAT --to-destination 10.0.0.9\n"
                )
            },
            {"conntrack-helper": FAULT, "port-forward": FAULT},
        ),
    ],
    ids=["a module without a rule", "attached by itself", "not loaded", "not there", "no NAT", "only TCP forwarded"],
)
def test_a_router_that_is_not(changes: dict[str, Any], expected: dict[str, Verdict]) -> None:
    assert troubles(examine_router(replace(ROUTER, **changes))) == expected


def test_a_module_without_a_rule_is_said_to_do_nothing() -> None:
    check = found(examine_router(replace(ROUTER, firewall=SERVER.firewall)))["conntrack-helper"]
    assert "since Linux 4.7" in check.evidence


GOOD = Reach(
    IPv4Address("198.51.100.9"),
    Tcp.OPEN,
    path_mtu=1500,
    introduced=True,
    peer="linux local",
    called=True,
    gre_tried=True,
    gre_heard=3,
    gre_answered=True,
    methods=["ms-chap-v2"],
)
CLIENT = replace(SERVER, listeners=(), firewall=Firewall())


def client(reach: Reach | None = GOOD, host: HostFacts = CLIENT, *, called: bool = True) -> dict[str, Verdict]:
    return troubles(examine_client(host, "vpn.example", reach, called=called))


def test_a_client_that_is_well() -> None:
    assert not client()


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (None, {"server-name": FAULT}),
        (replace(GOOD, tcp=Tcp.REFUSED, introduced=False), {"tcp-1723": FAULT}),
        (replace(GOOD, tcp=Tcp.SILENT, introduced=False), {"tcp-1723": FAULT}),
        (replace(GOOD, introduced=False, called=False), {"pptp-answers": FAULT}),
        (replace(GOOD, called=False, refusal="busy"), {"call": FAULT}),
        (replace(GOOD, gre_tried=False, gre_trouble="Operation not permitted"), {"gre-both-ways": UNKNOWN}),
        (replace(GOOD, gre_heard=0, gre_answered=False, methods=[]), {"gre-both-ways": FAULT}),
        (replace(GOOD, gre_answered=False), {"gre-both-ways": FAULT}),
        (replace(GOOD, methods=["pap"]), {"auth-method": WARNING}),
        (replace(GOOD, methods=["none"]), {"auth-method": WARNING}),
        (replace(GOOD, methods=["pap", "eap"]), {}),
        (replace(GOOD, path_mtu=1400), {"path-mtu": WARNING}),
    ],
)
def test_what_a_try_shows(reach: Reach | None, expected: dict[str, Verdict]) -> None:
    assert client(reach) == expected


@pytest.mark.parametrize(("refuses", "expected"), [({"ms-chap-v2", "pap"}, FAULT), ({"pap"}, None)])
def test_a_method_that_the_client_refuses(refuses: set[str], expected: Verdict | None) -> None:
    daemon = Daemon("pptp-linux", "/etc/ppp/peers/work", refuses=frozenset(refuses))
    assert client(host=replace(CLIENT, daemon=daemon)).get("auth-method") is expected


def test_without_a_call_gre_is_unknown() -> None:
    assert client(replace(GOOD, called=False), called=False) == {"gre-both-ways": UNKNOWN}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"interfaces": (Interface("ppp0", 1400, kind="ppp", addresses=("198.51.100.3/32",)),), "uplink": "ppp0"},
            {"route": FAULT, "uplink-mtu": WARNING, "path-mtu": None},
        ),
        ({"uplink": ""}, {"route": FAULT, "nat-passthrough": UNKNOWN, "uplink-mtu": UNKNOWN}),
        ({"firewall": rules("*filter\n:OUTPUT DROP\n")}, {"firewall-output-1723": FAULT, "firewall-output-gre": FAULT}),
        (
            {"firewall": rules("*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n")},
            {},
        ),
        ({"firewall": rules("*filter\n:INPUT DROP\n")}, {"firewall-input-gre": FAULT}),
        ({"firewall": rules(SAVED)}, {"conntrack-helper": WARNING}),
        ({"devices": {}}, {"client-kernel": FAULT}),
        ({"devices": {}, "root": False}, {"client-kernel": UNKNOWN}),
        ({"modules": frozenset()}, {"client-mppe": WARNING}),
    ],
)
def test_what_a_client_host_lacks(changes: dict[str, Any], expected: dict[str, Verdict]) -> None:
    assert client(host=replace(CLIENT, **changes)) == {name: one for name, one in expected.items() if one}


@pytest.mark.parametrize(
    ("own", "reach", "verdict"),
    [
        ("192.168.1.5", GOOD, None),
        ("192.168.1.5", replace(GOOD, gre_heard=0, gre_answered=False, methods=[]), UNKNOWN),
        ("192.168.1.5", replace(GOOD, server=IPv4Address("192.168.7.1"), gre_tried=False), None),
        ("198.51.100.2", replace(GOOD, gre_tried=False), None),
    ],
)
def test_a_nat_between(own: str, reach: Reach, verdict: Verdict | None) -> None:
    assert client(reach, replace(CLIENT, **uplink(own))).get("nat-passthrough") is verdict


def test_timeouts_are_told_where_nothing_is_known_of_echoes() -> None:
    assert "180 s" in found(examine_router(ROUTER))["conntrack-timeouts"].title
    assert STREAM.rpartition("/")[2] in found(examine_router(ROUTER))["conntrack-timeouts"].evidence
