"""What the corpus holds: each scenario breaks one thing, and says what an analyser must find at each end."""

from dataclasses import dataclass

MPPE = ("require-mppe-128",)
V2_MPPE = ("require-mschap-v2", "require-mppe-128")
PATIENT = ("lcp-restart 1", "lcp-max-configure 8")
"""Gives up after 8 s instead of 30, to save time."""
ECHO = ("lcp-echo-interval 3", "lcp-echo-failure 5")
PING = "ping -I PPP -c 8 -i 0.5 -w 10 10.66.0.1"
FLOOD = "ping -I PPP -c 300 -i 0.02 -s 200 -w 30 10.66.0.1"
DROP = "iptables -I FORWARD -p gre {} -j DROP"
WEB_SERVER = "while :; do printf 'HTTP/1.0 400 no\\r\\n\\r\\n' | nc -l -p 1723; done"
UP, DOWN = "-i r0", "-i r1"


@dataclass(frozen=True)
class Scenario:
    """One thing broken, or nothing. Scripts run in the router, `during` in the tunnel of the client."""

    name: str
    at_client: tuple[str, ...]
    """Any of these is a right top finding for the capture at the client."""
    at_server: tuple[str, ...] = ()
    """The same at the server; like the client's when empty."""
    client: tuple[str, ...] = MPPE
    server: tuple[str, ...] = V2_MPPE
    user: str = "alice"
    password: str | None = None
    before: str = ""
    during: str = PING
    later: str = ""
    """Breaks something while the tunnel is up; the client then ends by itself or is killed."""
    wait: float = 0.0
    server_ends: bool = False
    times: int = 1
    service: str | None = None
    """What runs on the server instead of pptpd."""


HEALTHY = ("healthy",)
NOTHING = ("nothing",)
CLEAR = ("cleartext-data", "cleartext-password")

SCENARIOS = (
    Scenario("healthy-128", HEALTHY),
    Scenario("healthy-40", HEALTHY, client=("require-mppe-40",), server=("require-mschap-v2", "require-mppe-40")),
    Scenario(
        "healthy-stateful",
        HEALTHY,
        client=("require-mppe-128", "mppe-stateful"),
        server=("require-mschap-v2", "require-mppe-128", "mppe-stateful"),
    ),
    Scenario("healthy-busy", HEALTHY, during=FLOOD),
    Scenario("healthy-echo", HEALTHY, client=(*MPPE, "lcp-echo-interval 1", "lcp-echo-failure 4"), wait=8),
    Scenario("healthy-server-ends", HEALTHY, server_ends=True),
    Scenario("healthy-idle-timeout", HEALTHY, server=(*V2_MPPE, "idle 6"), wait=12),
    Scenario("healthy-session-timeout", HEALTHY, server=(*V2_MPPE, "maxconnect 8"), wait=12),
    Scenario("healthy-two-calls", HEALTHY, times=2),
    Scenario("healthy-little-loss", HEALTHY, before="tc qdisc add dev r0 root netem loss 0.1%", during=FLOOD),
    Scenario("clear-chap", CLEAR, client=("nomppe",), server=("require-chap", "nomppe")),
    Scenario("clear-pap", CLEAR, client=("nomppe",), server=("require-pap", "nomppe")),
    Scenario("wrong-password", ("auth-rejected",), password="wrong"),
    Scenario("unknown-user", ("auth-rejected",), user="nobody", password="x"),
    Scenario(
        "wrong-password-pap",
        ("auth-rejected",),
        password="wrong",
        client=("nomppe",),
        server=("require-pap", "nomppe"),
    ),
    Scenario("brute-force", ("auth-rejected", "brute-force"), password="wrong", times=6),
    Scenario("no-server", ("control-refused",), service="sleep 20"),
    Scenario("web-server", ("not-pptp",), service=WEB_SERVER),
    Scenario("silent-server", ("control-unanswered", "control-refused"), service="sleep 60 | nc -l -p 1723"),
    Scenario("filtered", ("control-filtered",), NOTHING, before="iptables -I FORWARD -p tcp --dport 1723 -j DROP"),
    Scenario(
        "prohibited",
        ("control-filtered",),
        NOTHING,
        before="iptables -I FORWARD -p tcp --dport 1723 -j REJECT --reject-with icmp-admin-prohibited",
    ),
    Scenario(
        "unreachable",
        ("network-unreachable",),
        NOTHING,
        before="iptables -I FORWARD -p tcp --dport 1723 -j REJECT --reject-with icmp-host-unreachable",
    ),
    Scenario(
        "no-gre",
        ("gre-missing-from-server",),
        ("gre-missing-from-client",),
        client=(*MPPE, *PATIENT),
        before=DROP.format(""),
    ),
    Scenario(
        "no-gre-to-client",
        ("gre-missing-from-server",),
        client=(*MPPE, *PATIENT),
        server=(*V2_MPPE, *PATIENT),
        before=DROP.format(DOWN),
    ),
    Scenario(
        "no-gre-to-server",
        ("gre-missing-from-client",),
        client=(*MPPE, *PATIENT),
        server=(*V2_MPPE, *PATIENT),
        before=DROP.format(UP),
    ),
    Scenario(
        "gre-refused",
        ("gre-icmp-unreachable",),
        ("stopped-early", "gre-missing-from-client"),
        client=(*MPPE, *PATIENT),
        before="iptables -I FORWARD -p gre -i r0 -j REJECT --reject-with icmp-proto-unreachable",
    ),
    Scenario(
        "nat-without-helper",
        ("gre-missing-from-server", "nat-without-helper", "gre-icmp-unreachable"),
        ("nat-without-helper",),
        client=(*MPPE, *PATIENT),
        before="iptables -t nat -I POSTROUTING -o r1 -p tcp -j MASQUERADE",
    ),
    Scenario(
        "no-common-method",
        ("auth-method-mismatch",),
        client=("nomppe", "refuse-mschap-v2", "refuse-mschap", "refuse-chap"),
    ),
    Scenario("client-without-mppe", ("mppe-refused", "mppe-unavailable"), client=("nomppe",)),
    Scenario("server-without-mppe", ("mppe-refused", "mppe-unavailable"), server=("require-mschap-v2", "nomppe")),
    Scenario(
        "client-without-ccp",
        ("mppe-refused", "mppe-unavailable"),
        client=("noccp",),
    ),
    Scenario(
        "other-strength",
        ("mppe-strength-mismatch",),
        client=("require-mppe-40", "nomppe-128"),
        server=("require-mschap-v2", "require-mppe-128", "nomppe-40"),
    ),
    Scenario("bad-server-option", ("server-link-died",), server=(*V2_MPPE, "no-such-option"), client=(*MPPE, *PATIENT)),
    Scenario("loss-5", ("gre-loss",), HEALTHY, before="tc qdisc add dev r0 root netem loss 6%", during=FLOOD),
    Scenario(
        "loss-20",
        ("gre-loss",),
        HEALTHY,
        before="tc qdisc add dev r0 root netem loss 20%",
        during=FLOOD,
    ),
    Scenario(
        "reordering",
        ("gre-reordering",),
        HEALTHY,
        before="tc qdisc add dev r0 root netem delay 30ms reorder 75%",
        during=FLOOD,
    ),
    Scenario(
        "duplicates", ("gre-duplicates",), HEALTHY, before="tc qdisc add dev r0 root netem duplicate 10%", during=FLOOD
    ),
    Scenario(
        "slow", ("high-latency",), before="tc qdisc add dev r0 root netem delay 500ms", client=(*MPPE, *ECHO), wait=12
    ),
    Scenario(
        "no-return",
        ("no-return-traffic",),
        during="ip route add 10.99.0.0/16 dev PPP; ping -I PPP -c 10 -w 11 10.99.0.1",
    ),
    Scenario(
        "dead-server",
        ("dead-peer", "gre-lost"),
        ("healthy", "dead-peer", "gre-lost"),
        client=(*MPPE, *ECHO),
        later="iptables -I FORWARD -j DROP",
        wait=22,
    ),
    Scenario(
        "gre-lost",
        ("gre-lost", "dead-peer"),
        client=(*MPPE, *ECHO),
        server=(*V2_MPPE, *ECHO),
        later=DROP.format(""),
        wait=24,
    ),
    Scenario(
        "small-mtu",
        ("mtu-too-big", "gre-fragmented", "mtu-black-hole"),
        HEALTHY,
        before="ip link set r1 mtu 900",
        during="ping -I PPP -c 10 -i 0.3 -s 1200 -w 8 10.66.0.1",
    ),
)
