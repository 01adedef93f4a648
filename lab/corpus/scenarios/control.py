"""The control connection does not come about, or is not PPTP."""

from holdfast.control.codes import OutgoingCallResult, StartResult
from lab.corpus.plays import attempt, knock, stay, together
from lab.corpus.scenario import NOTHING, QUICK, Scenario, View, Where, at_client, at_server, both
from lab.corpus.wire_texts import call_reply, says, start_reply

WEB_SERVER = "while :; do printf 'HTTP/1.0 400 no\\r\\n\\r\\n' | nc -l -p 1723; done"
SECURE_SHELL = "while :; do (printf 'SSH-2.0-OpenSSH_9.2\\r\\n'; sleep 5) | nc -l -p 1723; done"
SILENT = "sleep 60 | nc -l -p 1723"
SYN = "iptables -I FORWARD -p tcp --dport 1723 -j"
ON_THE_WAY = "iptables -I FORWARD -p tcp -i r1 -j DROP"


SCENARIOS = (
    Scenario("port-closed", both("control-refused"), attempt, service=""),
    Scenario(
        "port-filtered",
        (*at_client("control-filtered"), *at_server(*NOTHING)),
        attempt,
        before=f"{SYN} DROP",
        patience=9,
    ),
    Scenario("answer-filtered", both("control-filtered"), attempt, before=ON_THE_WAY, patience=9),
    Scenario(
        "port-prohibited",
        (*at_client("control-filtered"), *at_server(*NOTHING)),
        attempt,
        before=f"{SYN} REJECT --reject-with icmp-admin-prohibited",
    ),
    Scenario(
        "port-reset-on-the-way",
        (*at_client("control-refused"), *at_server(*NOTHING)),
        attempt,
        before=f"{SYN} REJECT --reject-with tcp-reset",
    ),
    Scenario(
        "net-unreachable",
        (*at_client("network-unreachable"), *at_server(*NOTHING)),
        attempt,
        before=f"{SYN} REJECT --reject-with icmp-net-unreachable",
        patience=9,
    ),
    Scenario("nobody-there", at_client("network-unreachable"), attempt, target="198.51.100.77", patience=9),
    Scenario("web-server", both("not-pptp"), attempt, service=WEB_SERVER),
    Scenario("secure-shell-server", both("not-pptp"), attempt, service=SECURE_SHELL),
    Scenario("silent-server", both("control-unanswered"), attempt, service=SILENT, patience=14),
    Scenario(
        "control-rejected",
        both("control-rejected"),
        attempt,
        service=says(start_reply(StartResult.NOT_AUTHORIZED)),
        patience=10,
    ),
    Scenario(
        "call-refused",
        both("call-refused", "capacity-reached"),
        attempt,
        service=says(start_reply(StartResult.OK), call_reply(OutgoingCallResult.DO_NOT_ACCEPT)),
        patience=10,
    ),
    Scenario(
        "server-full",
        (View(Where.SECOND_CLIENT, ("control-unanswered", "capacity-reached")),),
        together,
        configuration="connections 1",
        pool="10.66.0.10",
        client=("require-mppe-128", *QUICK),
        patience=16,
    ),
    Scenario("port-check", both("port-check"), knock),
    Scenario("control-hangs-up", both("server-link-died"), stay(1), server=("no-such-option",)),
)
