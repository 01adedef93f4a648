import pytest

from holdfast.capture.logs.judge import sessions_of
from holdfast.capture.logs.lines import Line
from holdfast.capture.logs.sessions import SESSIONS_MOST, Sessions, shown


def summary(*texts: str) -> list[tuple[str, str, list[str], bool]]:
    return [
        (session.client, session.user, [finding.id for finding, _ in session.findings()], session.up)
        for session in sessions_of(texts)
    ]


def test_two_clients_of_one_pptpd_at_the_same_time() -> None:
    assert summary(
        "pptpd[10]: CTRL: Client 192.0.2.1 control connection started",
        "pptpd[10]: CTRL: Starting call (launching pppd, opening GRE)",
        "pppd[11]: pppd 2.4.9 started by root, uid 0",
        "pptpd[20]: CTRL: Client 192.0.2.2 control connection started",
        "pptpd[20]: CTRL: Starting call (launching pppd, opening GRE)",
        "pppd[11]: Connect: ppp0 <--> /dev/pts/0",
        "pppd[21]: pppd 2.4.9 started by root, uid 0",
        "pppd[21]: Connect: ppp1 <--> /dev/pts/1",
        "pppd[11]: Peer alice failed CHAP authentication",
        "pppd[21]: remote IP address 10.0.0.2",
        "pptpd[10]: CTRL: Client 192.0.2.1 control connection finished",
    ) == [("192.0.2.1", "alice", ["auth-rejected"], False), ("192.0.2.2", "", [], True)]


def test_a_pppd_that_dials_again_is_another_session() -> None:
    first, second = summary(
        "pppd[8]: Connect: ppp0 <--> /dev/pts/0",
        "pppd[8]: LCP: timeout sending Config-Requests",
        "pppd[8]: Connect: ppp0 <--> /dev/pts/0",
        "pppd[8]: remote IP address 10.0.0.2",
    )
    assert (first[2], first[3], second[2], second[3]) == (["gre-missing-from-server"], False, [], True)


def test_an_interface_is_used_again() -> None:
    found = summary(
        "pptp,info TCP connection established from 203.0.113.1",
        "pptp,ppp,info <pptp-bob>: authenticated",
        "pptp,ppp,info <pptp-bob>: using encoding - MPPE128 stateless",
        "pptp,ppp,info <pptp-bob>: disconnected",
        "pptp,info TCP connection established from 203.0.113.2",
        "pptp,ppp,info <pptp-bob>: terminating... - peer is not responding",
    )
    assert found == [("203.0.113.1", "bob", [], True), ("203.0.113.2", "bob", ["dead-peer"], False)]


def test_mikrotik_profiles_that_do_not_fit() -> None:
    assert summary("pptp,ppp,info <pptp-bob>: authenticated", "pptp,ppp,info <pptp-bob>: terminating...")[0][2] == [
        "link-closed-early"
    ]


def test_the_server_half_of_gre_blocked_towards_the_client() -> None:
    lines = [
        "Jan  2 03:04:05 h pptpd[3]: CTRL: Client 203.0.113.9 control connection started",
        "Jan  2 03:04:05 h pptpd[3]: CTRL: Starting call (launching pppd, opening GRE)",
        "Jan  2 03:04:06 h pppd[4]: Connect: ppp0 <--> /dev/pts/1",
        "Jan  2 03:04:36 h pppd[4]: Hangup (SIGHUP)",
    ]
    assert summary(*lines)[0][2] == ["gre-missing-from-server"]
    assert summary(*[line.replace("04:36", "04:09") for line in lines]) == []


def test_other_programs_fail_to_sign_in_too() -> None:
    assert summary("Jan  2 03:04:05 h dovecot[1]: authentication failed", "sshd[2]: authentication failed") == []


def test_scans_of_accel() -> None:
    lines = ["[2026-01-02 03:04:05]:  info: : disconnected"] * 20
    assert summary(*lines)[0][2] == ["not-pptp"]
    assert summary(*lines[:5]) == []


def test_a_flood_of_sessions_is_bounded() -> None:
    grouped = Sessions("x")
    for number in range(SESSIONS_MOST + 50):
        grouped.of(Line(number, None, "pptpd", str(number), "control connection started"))
    assert len(grouped.all) == SESSIONS_MOST
    assert grouped.omitted == 50


def test_secrets_in_a_log_are_not_repeated() -> None:
    words = 'rcvd [PAP AuthReq user="bob" password="hunter2"] E=691 R=1 C=9CCAA040087BC5FCF3A77E25B0AEC7D6 V=3'
    assert "hunter2" not in shown(words)
    assert "9CCAA" not in shown(words)
    assert len(shown("x" * 9000)) < 200


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("pptp,ppp,info office: terminating... - failed to authenticate", "auth-rejected"),
        ("pptp,ppp,info office: terminating... - failed to authenticate ourselves to peer", "auth-rejected"),
        ("pptp,ppp,info office: terminating... - could not add address: netmask cannot be /0 (6)", "ipcp-no-address"),
        ("pptp,ppp,info office: terminating... - hungup", "server-ended"),
        ("pptp,ppp,info <pptp-bob>: terminating... - hungup", "client-ended"),
        ("Jan  2 03:04:05 h accel-pppd: ppp0:bob: idle timeout", "idle-timeout"),
        ("Jan  2 03:04:05 h accel-pppd: ppp0:bob: session timeout", "session-timeout"),
        ("Jan  2 03:04:05 h accel-pppd: ppp0:bob: radius: session timed out", "session-timeout"),
    ],
)
def test_how_routeros_and_accel_ppp_say_goodbye(line: str, finding: str) -> None:
    assert summary(line)[0][2] == [finding]


def test_a_timeout_among_other_words_is_none() -> None:
    assert (
        summary("Jan  2 03:04:05 h accel-pppd: ppp0:bob: idle timeout 600 accepted", "pppd[2]: set session timeout 9")
        == []
    )
