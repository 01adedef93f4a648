"""Excerpts of logs that other people posted, judged as the notes beside them say."""

from collections.abc import Callable

import pytest

from holdfast.capture.logs.judge import read_log, sessions_of
from holdfast.capture.logs.sessions import LogSession
from support.captures import log_path

pytestmark = pytest.mark.captures

GOOD = ["01_pptpd_ok_win7_debug.log", "13_mikrotik.log"]
CAUSES = {
    "02_pptpd_gre_blocked_both_sides.log": [["gre-missing-from-server"]],
    "03_pptpd_server_lcp_timeout.log": [["gre-missing-from-client"]],
    "04_pptpd_protocol_not_available.log": [["gre-icmp-unreachable"]],
    "05_pppd_dies_at_once.log": [["server-link-died"]] * 3,
    "06_auth_fail_server.log": [["auth-rejected"], ["radius-timeout"], ["auth-rejected"]],
    "07_auth_fail_client.log": [
        ["auth-rejected"],
        ["auth-no-permission"],
        ["auth-rejected"],
        ["auth-method-mismatch", "eap-unsupported"],
    ],
    "12_accel_ppp.log": [["cleartext-data"]],
    "14_windows.log": [["control-filtered"], ["gre-missing", "not-pptp"]],
    "15_freeradius.log": [["auth-rejected"], ["auth-rejected"]],
}
"""The findings of each session, most important first."""


def causes(sessions: list[LogSession]) -> list[list[str]]:
    return [[finding.id for finding, _ in session.findings()] for session in sessions]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_log_raises_no_alarm(name: str) -> None:
    (session,) = read_log(str(log_path(name))).sessions
    assert session.up
    assert causes([session]) == [[]]


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_is_found(name: str) -> None:
    assert causes(read_log(str(log_path(name))).sessions) == CAUSES[name]


SINGLE = {
    "08_windows_lcp_termreq_codes.log": {
        "691  (id": "auth-rejected",
        "= 930": "radius-timeout",
        "= 732": "lcp-no-agreement",
        "= 738": "ipcp-no-address",
        "0 = normal": "user-disconnect",
    },
    "11_link_dead_after_up.log": {"echo-requests": "dead-peer", "IPCP: timeout": "ipcp-no-agreement"},
    "16_pptp_linux_control.log": {
        "connect: Connection refused": "control-refused",
        "timed out": "control-filtered",
        "No route": "network-unreachable",
        "Negative reply": "control-rejected",
        "not been accepted": "call-refused",
    },
    "09_mppe_mismatch.log": {
        "kernel has no support": "mppe-unavailable",
        "but peer refused\n": "mppe-refused",
        "peer negotiation failed": "mppe-refused",
        "Refusing MPPE stateful": "mppe-mode-mismatch",
        "(MPPE disabled)": "server-ended",
    },
}


def _lines(name: str, wanted: Callable[[str], bool]) -> list[str]:
    return [line for line in log_path(name).read_text("utf-8").splitlines(keepends=True) if wanted(line)]


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, parts in SINGLE.items() for part in parts])
def test_each_line_alone(name: str, part: str) -> None:
    lines = _lines(name, lambda line: part in line and not line.startswith("#"))
    assert lines
    for line in lines:
        assert causes(sessions_of([line])) == [[SINGLE[name][part]]], line


def test_losses_when_there_are_many() -> None:
    lines = _lines("10_gre_loss_reorder.log", lambda line: "buffering" in line)
    assert causes(sessions_of(lines)) == []
    assert causes(sessions_of(lines * 3)) == [["gre-loss"]]
    stale = _lines("10_gre_loss_reorder.log", lambda line: "22095" in line)
    assert causes(sessions_of(stale * 3)) == [["replay"]]
