import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.capture.diagnosis import Diagnosis, Verdict, diagnose
from holdfast.capture.html_report import render as render_page
from holdfast.capture.logs.judge import read_log
from holdfast.capture.logs.together import likeness
from holdfast.capture.text_report import render
from support.scene import CLIENT, Scene

BEGIN = 1_700_000_000.0


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def both(tmp_path: Path, scene: Scene, lines: list[tuple[float, str]], ahead: float = 0.0) -> Diagnosis:
    """Judge a scene beside a log whose clock is so far ahead; times of lines count from the scene's beginning."""
    log = tmp_path / "syslog"
    log.write_text("".join(f"{stamp(BEGIN + at + ahead)} gw {text}\n" for at, text in lines), encoding="utf-8")
    return diagnose([str(scene.write(tmp_path))], logs=[read_log(str(log))])


def ids(diagnosis: Diagnosis, number: int = 0) -> list[str]:
    return [finding.id for finding in diagnosis.findings(diagnosis.case.sessions[number])]


def pptpd(client: str = CLIENT, at: float = 0.0, process: int = 1) -> list[tuple[float, str]]:
    return [
        (at + 0.1, f"pptpd[{process}]: CTRL: Client {client} control connection started"),
        (at + 0.2, f"pptpd[{process}]: CTRL: Starting call (launching pppd, opening GRE)"),
        (at + 0.3, f"pppd[{process}0]: Connect: ppp0 <--> /dev/pts/0"),
    ]


@pytest.mark.parametrize("ahead", [0.0, 3.0, 7200.0, -86_400.0 * 40])
def test_the_log_says_why_where_the_wire_cannot(tmp_path: Path, ahead: float) -> None:
    scene = Scene().up().goodbye(False)
    idle = (1.0, "pppd[10]: Terminating connection due to lack of activity.")
    diagnosis = both(tmp_path, scene, [*pptpd(), (0.6, "pppd[10]: remote IP address 10.0.0.2"), idle], ahead)
    assert "idle-timeout" in ids(diagnosis)
    assert diagnosis.logs is not None
    offset = next(iter(diagnosis.logs.offsets.values()))
    assert offset == pytest.approx(ahead, abs=1.0)
    (finding,) = [one for one in diagnosis.findings(diagnosis.case.sessions[0]) if one.id == "idle-timeout"]
    assert "syslog, line 5" in finding.why


def test_the_same_fact_seen_twice_is_surer_and_one_fact(tmp_path: Path) -> None:
    scene = Scene().call().lcp().refuse().goodbye(False)
    alone = Scene().call().lcp().refuse().goodbye(False).diagnosis(tmp_path)
    diagnosis = both(tmp_path, scene, [*pptpd(), (0.5, "pppd[10]: Peer alice failed CHAP authentication")])
    assert ids(diagnosis).count("auth-rejected") == 1
    before, after = (each.findings(each.case.sessions[0])[0] for each in (alone, diagnosis))
    assert after.certainty >= before.certainty
    assert after.evidence == before.evidence
    assert "failed CHAP authentication" in after.why


def test_a_cause_of_the_log_makes_consequences_of_the_wire_superfluous(tmp_path: Path) -> None:
    scene = Scene().call().lcp().goodbye(False)
    diagnosis = both(tmp_path, scene, [*pptpd(), (0.5, "pppd[10]: MPPE required, but kernel has no support.")])
    assert ids(diagnosis)[0] == "mppe-unavailable"
    assert not {"stopped-early", "server-ended", "auth-unanswered"} & set(ids(diagnosis))
    assert diagnosis.verdict is Verdict.FINDINGS


def test_a_clean_log_leaves_a_healthy_session_healthy(tmp_path: Path) -> None:
    diagnosis = both(tmp_path, Scene().up(), [*pptpd(), (0.6, "pppd[10]: remote IP address 10.0.0.2")])
    assert diagnosis.verdict is Verdict.HEALTHY
    assert "healthy" in ids(diagnosis)


def test_what_speaks_for_other_sessions_goes_to_them(tmp_path: Path) -> None:
    scene = Scene().up().goodbye()
    scene.wait(60)
    scene.port, scene.client_call, scene.server_call = 40001, 101, 201
    scene.tcp_numbers = {True: 9000, False: 7000}
    scene.numbers = {True: 0, False: 0}
    second = scene.now - BEGIN
    scene.call().lcp().goodbye(False)
    lines = [*pptpd(), (0.6, "pppd[10]: remote IP address 10.0.0.2"), *pptpd(at=second, process=2)]
    lines.append((second + 0.5, "pppd[20]: No auth is possible"))
    lines += [*pptpd("203.0.113.77", 9000.0, 3), (9000.5, "pppd[30]: Peer eve failed CHAP authentication")]
    diagnosis = both(tmp_path, scene, lines, ahead=500.0)
    assert "auth-method-mismatch" not in ids(diagnosis, 0)
    assert ids(diagnosis, 1)[0] == "auth-method-mismatch"
    assert diagnosis.logs is not None
    assert "1 of its sessions are not in the capture" in diagnosis.logs.sentence(diagnosis.logs.logs[0])
    assert [told["in_capture"] for told in diagnosis.as_data()["logs"][0]["sessions"]] == ["s1", "s2", None]


def test_call_ids_speak_for_and_against(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("pptp[1]: x: Outgoing call established (call ID 100, peer's call ID 200).\npppd[2]: E=691\n")
    (told,) = read_log(str(log)).sessions
    session = Scene().up().case(tmp_path).sessions[0]
    assert likeness(session, told) == (4, ["call IDs"])
    told.call_ids = (100, 201)
    assert likeness(session, told)[0] < 0


def test_a_log_without_times_is_matched_by_what_it_says(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        f"pptpd[1]: CTRL: Client {CLIENT} control connection started\npppd[2]: Peer alice failed CHAP authentication\n"
    )
    scene = Scene().call().lcp().goodbye(False)
    diagnosis = diagnose([str(scene.write(tmp_path))], logs=[read_log(str(log))])
    assert ids(diagnosis)[0] == "auth-rejected"
    assert diagnosis.logs is not None
    assert diagnosis.logs.offsets == {str(log): None}


def test_one_time_line(tmp_path: Path) -> None:
    lines = [*pptpd(), (0.5, "pppd[10]: Peer alice failed CHAP authentication")]
    diagnosis = both(tmp_path, Scene().call().lcp().refuse().goodbye(False), lines, ahead=3600.0)
    assert diagnosis.logs is not None
    timeline = diagnosis.logs.timeline(diagnosis.case.sessions[0])
    times = [entry["time"] for entry in timeline]
    assert times == sorted(times)
    assert times[0].startswith("2023-11-14T22:13:")
    assert {entry["source"] for entry in timeline} == {"capture", "syslog"}
    assert [entry["finding"] for entry in timeline if entry["finding"]] == ["auth-rejected"]
    data = diagnosis.as_data()
    assert json.loads(json.dumps(data)) == data
    assert data["sessions"][0]["timeline"] == timeline
    text = render(diagnosis)
    assert "on one time line" in text
    assert "a time zone, most probably" in text
    assert "syslog, line 4: pppd: Peer alice failed CHAP authentication  [auth-rejected]" in text


def test_a_client_with_another_address_is_another_client_unless_a_nat_hides_it(tmp_path: Path) -> None:
    lines = [*pptpd("203.0.113.77"), (0.5, "pppd[10]: Terminating connection due to lack of activity.")]
    assert "idle-timeout" not in ids(both(tmp_path, Scene().up(), lines))
    assert "idle-timeout" in ids(both(tmp_path, Scene(client="192.168.1.5").up(), lines))


def test_the_page_shows_the_time_line_of_both(tmp_path: Path) -> None:
    scene = Scene().call().lcp().refuse().goodbye(False)
    diagnosis = both(tmp_path, scene, [*pptpd(), (0.5, "pppd[10]: Peer alice failed CHAP authentication")])
    page = render_page(diagnosis)
    assert "Capture and logs on one time line" in page
    assert "syslog, line 4" in page
    assert "Peer alice failed CHAP authentication" in page
