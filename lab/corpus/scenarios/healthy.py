"""Nothing is broken, in many ways; and two configurations that work and should not be used."""

from lab.corpus.plays import BUSY, PING, fetch, together, visit
from lab.corpus.scenario import HEALTHY, QUICK, V2_MPPE, Scenario, View, Where, both

HELPER = """
modprobe nf_nat_pptp; modprobe xt_CT
iptables -t raw -A PREROUTING -p tcp --dport 1723 -j CT --helper pptp
iptables -t nat -A POSTROUTING -o r1 -j MASQUERADE
"""
STATEFUL = ("require-mppe-128", "mppe-stateful")
CLEAR = ("nomppe",)
IN_CLEAR = both("cleartext-data", "cleartext-password")

SCENARIOS = (
    Scenario("healthy-128", both(*HEALTHY), visit()),
    Scenario(
        "healthy-40",
        both(*HEALTHY),
        visit(),
        client=("require-mppe-40",),
        server=("require-mschap-v2", "require-mppe-40"),
    ),
    Scenario("healthy-stateful", both(*HEALTHY), visit(BUSY), client=STATEFUL, server=("require-mschap-v2", *STATEFUL)),
    Scenario("healthy-client-allows-both", both(*HEALTHY), visit(), client=("require-mppe",)),
    Scenario("healthy-client-allows-stateful", both(*HEALTHY), visit(), client=STATEFUL),
    Scenario("healthy-busy", both(*HEALTHY), visit(BUSY)),
    Scenario("healthy-transfer", both(*HEALTHY), fetch(1200)),
    Scenario(
        "healthy-echo",
        both(*HEALTHY),
        visit(wait=6),
        client=("require-mppe-128", "lcp-echo-interval 1", "lcp-echo-failure 6"),
    ),
    Scenario("healthy-quiet", both(*HEALTHY), visit("true", wait=4)),
    Scenario("healthy-large-pings", both(*HEALTHY), visit(f"{PING} -s 1300")),
    Scenario("healthy-three-in-a-row", both(*HEALTHY), visit("ping -I PPP -c 3 -w 5 10.66.0.1", times=2)),
    Scenario("healthy-two-clients", (View(Where.SERVER, HEALTHY), View(Where.ROUTER, HEALTHY)), together),
    Scenario(
        "healthy-nat",
        (View(Where.CLIENT, HEALTHY), View(Where.ROUTER, HEALTHY), View(Where.SERVER, HEALTHY)),
        visit(),
        before=HELPER,
        lan="172.20.7",
    ),
    Scenario(
        "healthy-two-behind-nat",
        (View(Where.CLIENT, HEALTHY), View(Where.SECOND_CLIENT, HEALTHY), View(Where.SERVER, HEALTHY)),
        together,
        before=HELPER,
        lan="172.20.8",
        client=("require-mppe-128", *QUICK),
    ),
    Scenario("healthy-little-loss", both(*HEALTHY), visit(BUSY), before="tc qdisc add dev r0 root netem loss 0.1%"),
    Scenario("healthy-far-away", both(*HEALTHY), visit(), before="tc qdisc add dev r0 root netem delay 60ms"),
    Scenario(
        "healthy-compression-refused",
        both(*HEALTHY),
        visit(),
        client=("require-mppe-128", "bsdcomp 15", "deflate 15", "vj-max-slots 8"),
    ),
    Scenario("healthy-mschap", both(*HEALTHY), visit(), server=("require-mschap", "require-mppe-128")),
    Scenario("clear-pap", IN_CLEAR, visit(), client=CLEAR, server=("require-pap", "nomppe")),
    Scenario("clear-chap", IN_CLEAR, visit(), client=CLEAR, server=("require-chap", "nomppe")),
    Scenario("clear-mschap-v2", both("cleartext-data"), visit(), client=CLEAR, server=("require-mschap-v2", "nomppe")),
    Scenario("no-authentication", both("no-authentication"), visit(), client=CLEAR, server=("noauth", "nomppe")),
    Scenario(
        "part-control-only",
        tuple(View(where, HEALTHY, only="tcp") for where in (Where.CLIENT, Where.SERVER)),
        visit(),
    ),
    Scenario(
        "part-one-direction",
        (
            View(Where.CLIENT, HEALTHY, only="src 198.51.100.1", tag=".down"),
            View(Where.CLIENT, HEALTHY, only="dst 198.51.100.1", tag=".up"),
            View(Where.CLIENT, HEALTHY, only="ip proto 47", tag=".gre"),
        ),
        visit(),
    ),
    Scenario(
        "part-from-the-middle",
        tuple(View(where, HEALTHY, late=True) for where in (Where.CLIENT, Where.SERVER)),
        visit(),
        server=V2_MPPE,
    ),
)
