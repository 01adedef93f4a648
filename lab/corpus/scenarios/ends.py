"""Sessions that were up and end, for better or worse."""

from lab.corpus.plays import broken, replaced, stay, struck, visit
from lab.corpus.scenario import ECHO, HEALTHY, MPPE, V2_MPPE, Scenario, View, Where, at_client, at_server, both

CUT = "iptables -I FORWARD -j DROP"
CUT_GRE = "iptables -I FORWARD -p gre -j DROP"
CUT_TCP = "iptables -I FORWARD -p tcp -j DROP"
CLEAR = ("nomppe",)
BY_SERVER = ("server-ended", "idle-timeout", "session-timeout", "admin-disconnect")
"""With encryption on, pppd says nothing but that MPPE was disabled."""
ONLY_ONE = """#!/bin/sh
test -f /run/$PEERNAME && kill $(cat /run/$PEERNAME)
echo $PPPD_PID > /run/$PEERNAME
"""
"""Run by pppd when a tunnel is up: a user's older session ends."""

SCENARIOS = (
    Scenario("replaced", both("session-replaced"), replaced, files=(("ip-up", ONLY_ONE),)),
    Scenario(
        "control-lost",
        both("control-lost"),
        broken(CUT_TCP, 1, meanwhile="ping -I PPP -i 0.5 -c 190 -w 95 10.66.0.1"),
    ),
    Scenario(
        "dead-server",
        at_client("dead-peer"),
        broken(CUT, 16),
        client=(*MPPE, *ECHO),
    ),
    Scenario(
        "dead-client",
        at_server("dead-peer"),
        broken(CUT, 16),
        server=(*V2_MPPE, *ECHO),
    ),
    Scenario(
        "gre-lost",
        both("gre-lost", "dead-peer"),
        broken(CUT_GRE, 18),
        client=(*MPPE, *ECHO),
        server=(*V2_MPPE, *ECHO),
    ),
    Scenario(
        "gre-lost-downwards",
        at_client("gre-lost", "dead-peer"),
        broken(f"{CUT_GRE} -i r1", 18),
        client=(*MPPE, *ECHO),
    ),
    Scenario("idle-timeout", both(*BY_SERVER), stay(12), server=(*V2_MPPE, "idle 6")),
    Scenario(
        "idle-timeout-clear",
        both("idle-timeout"),
        stay(12),
        client=CLEAR,
        server=("require-mschap-v2", "nomppe", "idle 6"),
    ),
    Scenario("session-timeout", both(*BY_SERVER), stay(10), server=(*V2_MPPE, "maxconnect 8")),
    Scenario(
        "session-timeout-clear",
        both("session-timeout"),
        stay(10),
        client=CLEAR,
        server=("require-mschap-v2", "nomppe", "maxconnect 8"),
    ),
    Scenario("server-ends", both(*BY_SERVER), struck(Where.SERVER, "pppd", "TERM")),
    Scenario(
        "server-ends-clear",
        both(*BY_SERVER),
        struck(Where.SERVER, "pppd", "TERM"),
        client=CLEAR,
        server=("require-mschap-v2", "nomppe"),
    ),
    Scenario("server-pppd-killed", both("server-ended", "control-lost"), struck(Where.SERVER, "pppd", "KILL")),
    Scenario("server-control-killed", both("server-ended", "control-lost"), struck(Where.SERVER, "pptpctrl", "KILL")),
    Scenario("client-ends", both("client-ended", "user-disconnect"), visit()),
    Scenario(
        "client-ends-clear",
        both("user-disconnect", "client-ended"),
        visit(),
        client=CLEAR,
        server=("require-mschap-v2", "nomppe"),
    ),
    Scenario("client-killed", both("client-ended", "control-lost"), struck(Where.CLIENT, "pppd", "KILL")),
    Scenario("client-control-killed", both("client-ended", "control-lost"), struck(Where.CLIENT, "pptp*", "KILL")),
    Scenario("flapping", (View(Where.SERVER, ("flapping",)),), visit("true", times=6)),
    Scenario("ended-by-capture", (*at_client(*HEALTHY), *at_server(*HEALTHY)), stay(1)),
)
