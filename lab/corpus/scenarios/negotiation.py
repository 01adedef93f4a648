"""Passwords, methods, encryption and addresses that do not fit."""

from lab.corpus.plays import attempt, guesses, stay, visit
from lab.corpus.scenario import MPPE, QUICK, V2_MPPE, Scenario, at_server, both
from lab.corpus.wire_texts import as_hdlc, as_printf

CLEAR = ("nomppe",)
ENCRYPTION = ("mppe-refused", "mppe-unavailable")
RADIUS = """auth_order radius
login_tries 2
login_timeout 60
nologin /etc/nologin
issue /etc/ppp/issue
authserver 192.0.2.9:1812
acctserver 192.0.2.9:1813
servers /etc/ppp/servers
dictionary /etc/ppp/dictionary
login_radius /bin/false
login_local /bin/false
seqfile /run/radius.seq
mapfile /etc/ppp/ports
default_realm
radius_timeout 2
radius_retries 2
"""
DICTIONARY = """ATTRIBUTE User-Name 1 string
ATTRIBUTE Password 2 string
ATTRIBUTE CHAP-Password 3 string
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE NAS-Port-Id 5 integer
ATTRIBUTE Service-Type 6 integer
ATTRIBUTE Framed-Protocol 7 integer
ATTRIBUTE Called-Station-Id 30 string
ATTRIBUTE Calling-Station-Id 31 string
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE CHAP-Challenge 60 string
ATTRIBUTE NAS-Port-Type 61 integer
"""

REQUEST = as_printf(as_hdlc(bytes.fromhex("ff03c0210101000801040578")))
"""An LCP Configure-Request with an MRU."""
RAW = "#!/bin/sh\nstty raw -echo <&1\n"
HUNG = f"{RAW}{REQUEST}\nexec sleep 60\n"
"""Instead of pppd: says something once, and nothing more."""
NOISE = as_printf(as_hdlc(bytes.fromhex("ff03c0210b01000800000000")))
"""An LCP Discard-Request: pptpd hands nothing to a program that has not spoken first."""
LOOP = f"{RAW}{NOISE}\nexec cat\n"
"""Instead of pppd: a plug that joins the line's two ends, so that the client hears itself."""
DEAF = f"{RAW}while {REQUEST}; do sleep 1.5; done\n"
"""Instead of pppd: asks again and again, and hears nothing."""

SCENARIOS = (
    Scenario(
        "server-hangs",
        both("lcp-unanswered"),
        attempt,
        client=(*MPPE, *QUICK),
        configuration="connections 20\nppp /etc/ppp/hung",
        files=(("hung", HUNG),),
    ),
    Scenario(
        "server-hears-nothing",
        both("gre-missing-from-client", "lcp-unanswered"),
        attempt,
        client=(*MPPE, *QUICK),
        configuration="connections 20\nppp /etc/ppp/deaf",
        files=(("deaf", DEAF),),
    ),
    Scenario(
        "line-looped-back",
        both("lcp-loop"),
        attempt,
        client=(*MPPE, *QUICK),
        configuration="connections 20\nppp /etc/ppp/loop",
        files=(("loop", LOOP),),
    ),
    Scenario("wrong-password", both("auth-rejected"), attempt, password="wrong"),
    Scenario("unknown-user", both("auth-rejected"), attempt, user="nobody", password="x"),
    Scenario(
        "wrong-password-pap",
        both("auth-rejected"),
        attempt,
        password="wrong",
        client=CLEAR,
        server=("require-pap", "nomppe"),
    ),
    Scenario(
        "wrong-password-chap",
        both("auth-rejected"),
        attempt,
        password="wrong",
        client=CLEAR,
        server=("require-chap", "nomppe"),
    ),
    Scenario(
        "wrong-password-mschap",
        both("auth-rejected"),
        attempt,
        password="wrong",
        server=("require-mschap", "require-mppe-128"),
    ),
    Scenario("brute-force", both("auth-rejected", "brute-force"), guesses("alice", times=6)),
    Scenario(
        "spray", at_server("auth-rejected", "brute-force"), guesses("alice", "bob", "carol", "dave", "erin", "frank")
    ),
    Scenario(
        "method-client-wants-pap",
        both("auth-method-mismatch"),
        attempt,
        client=("nomppe", "refuse-mschap-v2", "refuse-mschap", "refuse-chap"),
    ),
    Scenario(
        "method-server-wants-pap",
        both("auth-method-mismatch"),
        attempt,
        client=("nomppe", "refuse-pap"),
        server=("require-pap", "nomppe"),
    ),
    Scenario("eap-only", both("eap-unsupported"), attempt, client=CLEAR, server=("require-eap", "nomppe")),
    Scenario("client-without-mppe", both(*ENCRYPTION), attempt, client=CLEAR),
    Scenario("client-without-ccp", both(*ENCRYPTION), attempt, client=("noccp",)),
    Scenario("server-without-mppe", both(*ENCRYPTION), attempt, server=("require-mschap-v2", "nomppe")),
    Scenario("server-without-ccp", both(*ENCRYPTION), attempt, server=("require-mschap-v2", "noccp")),
    Scenario("mppe-without-keys", both(*ENCRYPTION), attempt, server=("require-chap", "nomppe")),
    Scenario(
        "strength-client-40",
        both("mppe-strength-mismatch"),
        attempt,
        client=("require-mppe-40", "nomppe-128"),
        server=(*V2_MPPE, "nomppe-40"),
    ),
    Scenario(
        "strength-server-40",
        both("mppe-strength-mismatch"),
        attempt,
        client=("require-mppe-128", "nomppe-40"),
        server=("require-mschap-v2", "require-mppe-40", "nomppe-128"),
    ),
    Scenario(
        "server-without-ip", both("ipcp-no-agreement", "ipcp-no-address"), attempt, server=(*V2_MPPE, "noip", *QUICK)
    ),
    Scenario(
        "no-address-for-client",
        both("ipcp-no-address"),
        attempt,
        server=(*V2_MPPE, *QUICK),
        client=(*MPPE, *QUICK),
        pool="",
    ),
    Scenario("server-without-usable-secret", both("server-link-died"), attempt, fixed_address="-"),
    Scenario("address-of-the-server", both("ipcp-address-conflict"), visit(), pool="10.66.0.1"),
    Scenario(
        "radius-silent",
        at_server("radius-timeout"),
        stay(2),
        client=CLEAR,
        server=("require-pap", "nomppe", "plugin radius.so", "radius-config-file /etc/ppp/radius.conf"),
        before="iptables -I FORWARD -p udp -j DROP; hostname localhost",
        files=(("radius.conf", RADIUS), ("dictionary", DICTIONARY), ("servers", "192.0.2.9 lab\n"), ("ports", "")),
    ),
)
