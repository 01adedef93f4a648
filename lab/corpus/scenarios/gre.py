"""GRE does not pass, or passes changed."""

from lab.corpus.plays import attempt, fetch, together, visit
from lab.corpus.scenario import MPPE, QUICK, V2_MPPE, Scenario, View, Where, at_client, at_server, both

DROP = "iptables -I FORWARD -p gre {} -j DROP"
REJECT = "iptables -I FORWARD -p gre {} -j REJECT --reject-with icmp-{}"
UP, DOWN = "-i r0", "-i r1"
MASQUERADE = "iptables -t nat -I POSTROUTING -o r1 {} -j MASQUERADE"
CLIENT, SERVER = (*MPPE, *QUICK), (*V2_MPPE, *QUICK)
FROM_SERVER, FROM_CLIENT = "gre-missing-from-server", "gre-missing-from-client"
BEHIND_NAT = (FROM_SERVER, "nat-without-helper", "server-link-died")
"""What the client sees: pptpd hangs up, since the NAT refuses its GRE by ICMP; but that goes to the server only."""
AT_THE_NAT = ("nat-without-helper", "gre-icmp-unreachable")
PATIENCE = 16

SCENARIOS = (
    Scenario(
        "gre-dropped",
        (*at_client(FROM_SERVER, "gre-missing"), *at_server(FROM_CLIENT, "gre-missing")),
        attempt,
        client=CLIENT,
        server=SERVER,
        before=DROP.format(""),
        patience=PATIENCE,
    ),
    Scenario(
        "gre-dropped-to-client",
        both(FROM_SERVER),
        attempt,
        client=CLIENT,
        server=SERVER,
        before=DROP.format(DOWN),
        patience=PATIENCE,
    ),
    Scenario(
        "gre-dropped-to-server",
        both(FROM_CLIENT),
        attempt,
        client=CLIENT,
        server=SERVER,
        before=DROP.format(UP),
        patience=PATIENCE,
    ),
    Scenario(
        "gre-dropped-behind-nat",
        (*at_client(*BEHIND_NAT), *at_server(FROM_CLIENT, *AT_THE_NAT)),
        attempt,
        client=CLIENT,
        before=f"{MASQUERADE.format('')}\n{DROP.format('')}",
        lan="172.20.3",
        patience=PATIENCE,
    ),
    Scenario(
        "gre-refused-upwards",
        at_client("gre-icmp-unreachable"),
        attempt,
        client=CLIENT,
        server=SERVER,
        before=REJECT.format(UP, "proto-unreachable"),
        patience=PATIENCE,
    ),
    Scenario(
        "gre-refused-downwards",
        at_server("gre-icmp-unreachable"),
        attempt,
        client=CLIENT,
        server=SERVER,
        before=REJECT.format(DOWN, "admin-prohibited"),
        patience=PATIENCE,
    ),
    Scenario(
        "nat-for-tcp-only",
        (*at_client(FROM_SERVER, "nat-without-helper", "gre-icmp-unreachable"), *at_server("nat-without-helper")),
        attempt,
        client=CLIENT,
        server=SERVER,
        before=MASQUERADE.format("-p tcp"),
        patience=PATIENCE,
    ),
    Scenario(
        "two-behind-nat-without-helper",
        (
            View(Where.SECOND_CLIENT, BEHIND_NAT),
            View(Where.SERVER, (FROM_CLIENT, "call-id-collision", *AT_THE_NAT)),
        ),
        together,
        client=CLIENT,
        before=MASQUERADE.format(""),
        lan="172.20.4",
        patience=PATIENCE,
    ),
    Scenario(
        "small-mtu",
        at_server("mtu-too-big"),
        fetch(60),
        before="ip link set r0 mtu 900",
    ),
    Scenario(
        "black-hole",
        (*at_server("mtu-black-hole"), *at_client("mtu-black-hole", "gre-loss")),
        fetch(60),
        before="ip link set r0 mtu 900; iptables -I OUTPUT -p icmp -j DROP",
    ),
    Scenario(
        "black-hole-upwards",
        at_client("mtu-too-big", "mtu-black-hole"),
        visit("ping -I PPP -c 12 -i 0.3 -s 1200 -w 8 10.66.0.1"),
        before="ip link set r1 mtu 900",
    ),
    Scenario(
        "fragmented",
        both("gre-fragmented"),
        fetch(120),
        client=(*MPPE, "mtu 1500", "mru 1500"),
        server=(*V2_MPPE, "mtu 1500", "mru 1500"),
    ),
)
