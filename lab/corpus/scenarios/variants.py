"""Made and labelled after the rules stood, to see how they judge what they were not written for."""

from holdfast.control.codes import OutgoingCallResult, StartResult
from lab.corpus.plays import BUSY, PING, attempt, broken, fetch, push, same_host, second_try, visit
from lab.corpus.scenario import (
    ECHO,
    HEALTHY,
    MPPE,
    QUICK,
    V2_MPPE,
    Scenario,
    View,
    Where,
    at_client,
    at_server,
    both,
)
from lab.corpus.wire_texts import call_reply, says, start_reply

CLEAR = ("nomppe",)
NETEM, NETEM_UP = "tc qdisc add dev r0 root netem {}", "tc qdisc add dev r1 root netem {}"
LARGE_GRE = "iptables -I FORWARD -p gre -i {} -m length --length 1000: -j DROP"
FORWARDED = "modprobe iptable_nat; iptables -t nat -A PREROUTING -i r0 -p {} -j DNAT --to-destination 198.51.100.1\n"
OUTAGE = "iptables -I FORWARD -p gre -j DROP; (sleep 4; iptables -D FORWARD -p gre -j DROP) > /dev/null 2>&1 &"
SYNS = "ip route add 10.99.0.0/16 dev PPP; for n in 1 2; do nc -w 8 10.99.0.1 80 || true; done"
HELPER = """
modprobe nf_nat_pptp; modprobe xt_CT; modprobe iptable_nat
iptables -t raw -A PREROUTING -p tcp --dport 1723 -j CT --helper pptp
"""
LONG = "ping -I PPP -c 60 -i 0.5 -s 200 -w 30 10.66.0.1"
UNUSUAL = ("noaccomp", "nopcomp", "nomagic", "default-asyncmap")
NAT_FAULTS = ("gre-icmp-unreachable", "nat-without-helper")

SCENARIOS = (
    # Healthy, and not as everybody does it.
    Scenario("odd-few-lcp-options", both(*HEALTHY), visit(), client=(*MPPE, *UNUSUAL), server=(*V2_MPPE, *UNUSUAL)),
    Scenario(
        "odd-small-mru",
        both(*HEALTHY),
        visit(f"{PING} -s 900"),
        client=(*MPPE, "mru 600", "mtu 600"),
        server=(*V2_MPPE, "mru 600", "mtu 600"),
    ),
    # pptpd hands nothing to a pppd that has not spoken first, so this pppd waits forever.
    Scenario("server-waits", both("gre-missing-from-server"), attempt, server=(*V2_MPPE, "silent")),
    Scenario(
        "odd-first-packets-lost",
        both(*HEALTHY),
        visit(),
        before="iptables -I FORWARD -p gre -i r0 -m quota --quota 150 -j DROP",
    ),
    Scenario("odd-quiet-minute", both(*HEALTHY), visit(wait=66)),
    Scenario("odd-ipv6-inside", both(*HEALTHY), visit(), client=(*MPPE, "+ipv6"), server=(*V2_MPPE, "+ipv6")),
    # Jitter of netem changes the order of what comes closer together than its span.
    Scenario(
        "some-jitter",
        (*at_client("gre-reordering", "gre-jitter", "healthy"), *at_server(*HEALTHY)),
        visit(BUSY),
        before=NETEM.format("delay 40ms 8ms"),
    ),
    Scenario("odd-server-allows-stateful", both(*HEALTHY), visit(), server=(*V2_MPPE, "mppe-stateful")),
    Scenario(
        "odd-server-behind-port-forward",
        both(*HEALTHY),
        visit(),
        target="192.0.2.1",
        before=HELPER + FORWARDED.format("tcp --dport 1723"),
    ),
    # Without a helper the server's GRE comes from an address that the client never dialled.
    Scenario(
        "port-forward-without-helper",
        both(*NAT_FAULTS),
        attempt,
        target="192.0.2.1",
        client=(*MPPE, *QUICK),
        before=FORWARDED.format("tcp --dport 1723") + FORWARDED.format("gre"),
        patience=16,
    ),
    Scenario("odd-two-from-one-host", both(*HEALTHY), same_host, client=(*MPPE, *QUICK), patience=16),
    # The way between.
    Scenario(
        "port-forward-of-tcp-only",
        # pptp-linux dies of the ICMP at once: the server sees a client that hangs up, and no GRE to say why.
        (*at_client("gre-missing-from-server", *NAT_FAULTS), *at_server("gre-missing-from-client", "stopped-early")),
        attempt,
        target="192.0.2.1",
        client=(*MPPE, *QUICK),
        server=(*V2_MPPE, *QUICK),
        before=FORWARDED.format("tcp --dport 1723"),
        patience=16,
    ),
    Scenario(
        "loss-both-ways",
        both("gre-loss"),
        visit(BUSY),
        before=f"{NETEM.format('loss 8%')}; {NETEM_UP.format('loss 8%')}",
    ),
    Scenario(
        "loss-seen-late", (View(Where.CLIENT, ("gre-loss",), late=True),), visit(BUSY), before=NETEM.format("loss 8%")
    ),
    Scenario("outage-of-seconds", both("gre-loss", "gre-interrupted"), broken(OUTAGE, 1, meanwhile=BUSY)),
    Scenario(
        "gre-lost-upwards",
        both("gre-lost", "dead-peer"),
        broken("iptables -I FORWARD -p gre -i r0 -j DROP", 18),
        client=(*MPPE, *ECHO),
        server=(*V2_MPPE, *ECHO),
    ),
    Scenario(
        "slow-and-lossy", at_client("gre-loss", "high-latency"), visit(BUSY), before=NETEM.format("delay 450ms loss 8%")
    ),
    Scenario(
        "large-gre-dropped-downwards",
        (*at_server("mtu-black-hole"), *at_client("mtu-black-hole", "gre-loss")),
        fetch(60),
        before=LARGE_GRE.format("r1"),
    ),
    Scenario(
        "large-gre-dropped-upwards",
        (*at_client("mtu-black-hole"), *at_server("mtu-black-hole", "gre-loss")),
        push(60),
        before=LARGE_GRE.format("r0"),
    ),
    Scenario(
        "gre-used-up-on-the-way",
        at_client("routing-loop"),
        attempt,
        client=(*MPPE, *QUICK),
        server=(*V2_MPPE, *QUICK),
        before="iptables -t mangle -A PREROUTING -p gre -i r0 -j TTL --ttl-set 1",
        patience=16,
    ),
    Scenario("no-return-of-tcp", both("no-return-traffic"), visit(SYNS)),
    Scenario(
        "no-return-of-tcp-clear",
        both("no-return-traffic"),
        visit(SYNS),
        client=CLEAR,
        server=("require-mschap-v2", "nomppe"),
    ),
    # What the two ends want of each other.
    Scenario("second-try-works", both("auth-rejected"), second_try),
    Scenario(
        "method-client-refuses-chap",
        both("auth-method-mismatch"),
        attempt,
        client=("nomppe", "refuse-chap", "refuse-pap"),
        server=("require-chap", "nomppe"),
    ),
    Scenario(
        "method-client-refuses-mschap",
        both("auth-method-mismatch"),
        attempt,
        client=(*MPPE, "refuse-mschap"),
        server=("require-mschap", "require-mppe-128"),
    ),
    # The server's list of secrets allows any address, so it takes the one that the client brings.
    Scenario("odd-client-brings-its-address", both(*HEALTHY), attempt, client=(*MPPE, "10.9.9.9:")),
    # The control connection.
    Scenario(
        "start-request-swallowed",
        (*at_client("control-unanswered"), *at_server("control-unanswered", "port-check")),
        attempt,
        before="iptables -I FORWARD -p tcp --dport 1723 -m length --length 100: -j DROP",
        patience=14,
    ),
    Scenario(
        "call-never-answered", both("call-unanswered"), attempt, service=says(start_reply(StartResult.OK)), patience=12
    ),
    Scenario(
        "call-busy",
        both("call-refused", "capacity-reached"),
        attempt,
        service=says(start_reply(StartResult.OK), call_reply(OutgoingCallResult.BUSY)),
        patience=10,
    ),
    Scenario(
        "version-not-supported",
        both("control-rejected"),
        attempt,
        service=says(start_reply(StartResult.VERSION_NOT_SUPPORTED)),
        patience=10,
    ),
    # A second round, made after the mends of the first.
    Scenario(
        "no-return-clear",
        both("no-return-traffic"),
        visit("ip route add 10.99.0.0/16 dev PPP; ping -I PPP -c 12 -w 13 10.99.0.1"),
        client=CLEAR,
        server=("require-mschap-v2", "nomppe"),
    ),
    Scenario(
        "loss-both-ways-later",
        both("gre-loss"),
        broken(f"{NETEM.format('loss 15%')}; {NETEM_UP.format('loss 15%')}", 1, meanwhile=BUSY),
    ),
    Scenario(
        "duplicates-both-ways",
        both("gre-duplicates"),
        visit(BUSY),
        before=f"{NETEM.format('duplicate 20%')}; {NETEM_UP.format('duplicate 20%')}",
    ),
    Scenario(
        "reordering-upwards", at_server("gre-reordering"), visit(BUSY), before=NETEM_UP.format("delay 30ms reorder 75%")
    ),
    Scenario("unknown-user-of-a-company", both("auth-rejected"), attempt, user="CORP-alice", password="x"),
    Scenario("eap-only-client-encrypts", both("eap-unsupported"), attempt, server=("require-eap", "require-mppe-128")),
    Scenario("small-mtu-upwards", at_client("mtu-too-big"), push(60), before="ip link set r1 mtu 900"),
    Scenario(
        "fragmented-upwards",
        both("gre-fragmented"),
        push(120),
        client=(*MPPE, "mtu 1500", "mru 1500"),
        server=(*V2_MPPE, "mtu 1500", "mru 1500"),
    ),
    Scenario(
        "server-gone-in-the-middle", at_client("dead-peer"), broken("iptables -I FORWARD -j DROP", 1, meanwhile=LONG)
    ),
    Scenario(
        "start-general-error",
        both("control-rejected"),
        attempt,
        service=says(start_reply(StartResult.GENERAL_ERROR)),
        patience=10,
    ),
    Scenario(
        "call-no-carrier",
        both("call-refused"),
        attempt,
        service=says(start_reply(StartResult.OK), call_reply(OutgoingCallResult.NO_CARRIER)),
        patience=10,
    ),
    Scenario("odd-three-visits", (View(Where.SERVER, HEALTHY),), visit(PING, wait=4, times=3)),
)
