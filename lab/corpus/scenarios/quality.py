"""The way between is bad: netem towards the client, so that only the client's side shows it."""

from lab.corpus.plays import BUSY, broken, visit
from lab.corpus.scenario import ECHO, HEALTHY, MPPE, Scenario, at_client, at_server, both

NETEM = "tc qdisc add dev r0 root netem {}"
NETEM_UP = "tc qdisc add dev r1 root netem {}"

SCENARIOS = (
    # Only once the tunnel is up: a set-up that loses a packet may fail, and then it is another scenario.
    Scenario(
        "loss-5",
        (*at_client("gre-loss"), *at_server(*HEALTHY)),
        broken(NETEM.format("loss 6%"), 1, meanwhile=BUSY),
    ),
    Scenario(
        "loss-20",
        (*at_client("gre-loss"), *at_server(*HEALTHY)),
        broken(NETEM.format("loss 20%"), 1, meanwhile=BUSY),
    ),
    Scenario(
        "loss-upwards", (*at_client(*HEALTHY), *at_server("gre-loss")), visit(BUSY), before=NETEM_UP.format("loss 6%")
    ),
    Scenario(
        "reordering",
        (*at_client("gre-reordering"), *at_server(*HEALTHY)),
        visit(BUSY),
        before=NETEM.format("delay 30ms reorder 75%"),
    ),
    Scenario(
        "duplicates",
        (*at_client("gre-duplicates"), *at_server(*HEALTHY)),
        visit(BUSY),
        before=NETEM.format("duplicate 10%"),
    ),
    Scenario(
        "duplicates-upwards",
        (*at_client(*HEALTHY), *at_server("gre-duplicates")),
        visit(BUSY),
        before=NETEM_UP.format("duplicate 10%"),
    ),
    Scenario(
        "jitter",
        # The delay is on the way to the client: the server sees nothing of it but later answers.
        (
            *at_client("gre-jitter", "gre-reordering", "high-latency"),
            *at_server("gre-jitter", "gre-reordering", "high-latency", "healthy"),
        ),
        visit(BUSY),
        before=NETEM.format("delay 20ms 300ms"),
    ),
    Scenario(
        "slow",
        both("high-latency"),
        visit(wait=6),
        client=(*MPPE, *ECHO),
        before=NETEM.format("delay 500ms"),
    ),
    Scenario(
        "loss-late",
        (*at_client(*HEALTHY), *at_server("gre-loss")),
        broken(NETEM_UP.format("loss 4%"), 1, meanwhile=BUSY),
    ),
    Scenario(
        "no-return",
        both("no-return-traffic"),
        visit("ip route add 10.99.0.0/16 dev PPP; ping -I PPP -c 10 -w 11 10.99.0.1"),
    ),
)
