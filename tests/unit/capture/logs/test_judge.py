from pathlib import Path

import pytest

from holdfast.capture.findings.base import Severity
from holdfast.capture.logs.judge import LogSession, read_log, sessions_of, worst
from holdfast.errors import HoldfastError


def told(*texts: str) -> list[str]:
    return [finding.id for session in sessions_of(texts) for finding, _ in session.findings()]


def test_a_timeout_means_the_other_direction_at_each_end() -> None:
    assert told("pptp[1]: Outgoing call established", "pppd[2]: LCP: timeout sending Config-Requests") == [
        "gre-missing-from-server"
    ]
    assert told("pptpd[1]: GRE: Bad checksum from pppd.", "pppd[2]: LCP: timeout sending Config-Requests") == [
        "gre-missing-from-client"
    ]


def test_consequences_are_no_causes() -> None:
    assert (
        told("pppd[1]: Modem hangup", "pptpd[2]: CTRL: PTY read or GRE write failed (pty,gre)=(6,7)", "pppd[1]: Exit.")
        == []
    )


def test_the_error_of_windows_in_a_terminate_request() -> None:
    assert told("pppd: LCP terminated by peer (&^WCS^@<M-Mt^@^@^BM-3)") == ["auth-rejected"]
    assert told("The error code returned on failure is 649.") == ["auth-no-permission"]


def test_two_clients_are_two_sessions() -> None:
    found = sessions_of(
        [
            "pptpd[10]: CTRL: Client 192.0.2.1 control connection started",
            "pppd[11]: Peer alice failed CHAP authentication",
            "pptpd[20]: CTRL: Client 192.0.2.2 control connection started",
            "pppd[21]: remote IP address 10.0.0.2",
            "pppd[11]: Connection terminated.",
        ]
    )
    assert [(session.user, session.up) for session in found] == [("alice", False), ("", True)]


def test_many_losses_are_told_and_one_is_life() -> None:
    line = "pptp: log[decaps_gre]: buffering packet 12 (expecting 8, lost or reordered)"
    assert told(line) == []
    assert told(*[line] * 4) == ["gre-loss"]


def test_the_lines_that_tell_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("x\nwarn: connect: Connection refused\n", encoding="utf-8")
    (session,) = read_log(str(path)).sessions
    assert isinstance(session, LogSession)
    assert session.as_data()["findings"][0]["lines"] == [2]
    assert worst([session]) is Severity.FAULT
    with pytest.raises(HoldfastError, match="no such file"):
        read_log(str(tmp_path / "nowhere"))


def test_noise_is_survived() -> None:
    assert told("\x00\xff" * 3000, "(" * 5000, '"\\377' * 900, "M-^" * 100, "Jan 99 99:99:99 [") == []


LOST = "h pptp[7]: anon log[decaps_gre:pptp_gre.c:407]: buffering packet 12 (expecting 8, lost or reordered)"
VAIN = "h pptp[7]: anon log[decaps_gre:pptp_gre.c:380]: timeout waiting for 4 packets"


def test_losses_hours_apart_are_life() -> None:
    assert told(*(f"Nov 30 {hour:02}:00:00 {LOST}" for hour in range(8))) == []
    assert told(*(f"Nov 30 10:00:{second:02} {VAIN}" for second in range(0, 50, 10))) == ["gre-loss"]


def test_a_server_that_left_before_the_link_was_up() -> None:
    left = "pptp[8]: anon log[ctrlp_disp:pptp_ctrl.c:929]: Call disconnect notification received (call id 0)"
    connect = "pppd[7]: Connect: ppp0 <--> /dev/pts/1"
    assert told(connect, left) == ["stopped-early"]
    assert told(connect, "pppd[7]: remote IP address 10.0.0.1", left) == []
    assert told(left) == []
    assert told(connect, "pppd[7]: MS-CHAP authentication failed: E=691 Authentication failure", left) == [
        "auth-rejected"
    ]
