import json
from pathlib import Path

from holdfast.capture.diagnosis import Verdict, diagnose, session_filter
from support.scene import CLIENT, GRE, RST, SERVER, SYN, Scene, gre

FINDING_KEYS = {
    "id",
    "severity",
    "certainty",
    "direction",
    "title",
    "why",
    "frames",
    "filter",
    "windows_codes",
    "fixes",
}
SESSION_KEYS = {
    "id",
    "client",
    "server",
    "user",
    "phase",
    "started",
    "ended",
    "call_ids",
    "negotiated",
    "counters",
    "findings",
}


def test_the_shape_that_programs_rely_on(tmp_path: Path) -> None:
    data = Scene().call().lcp().refuse().goodbye(False).diagnosis(tmp_path).as_data()
    assert json.loads(json.dumps(data)) == data
    assert data["verdict"] == "findings"
    (session,) = data["sessions"]
    assert set(session) >= SESSION_KEYS
    assert set(session["findings"][0]) >= FINDING_KEYS
    assert session["call_ids"] == {"client": 100, "server": 200}
    assert session["findings"][0]["id"] == "auth-rejected"
    assert set(session["counters"]) == {"client_to_server", "server_to_client"}


def test_verdicts(tmp_path: Path) -> None:
    assert Scene().up().diagnosis(tmp_path).verdict is Verdict.HEALTHY
    assert Scene().udp((CLIENT, 1), (SERVER, 2), b"").diagnosis(tmp_path).verdict is Verdict.NOTHING


def test_nothing_secret_is_in_it(tmp_path: Path) -> None:
    scene = Scene().call().lcp(b"\xc0\x23").ppp(True, 0xC023, 1, b"\x03bob\x09topsecret")
    assert "topsecret" not in json.dumps(scene.diagnosis(tmp_path).as_data())


def test_the_filter_of_a_session(tmp_path: Path) -> None:
    session = Scene().up().case(tmp_path).sessions[0]
    assert session_filter(session) == f"ip.addr == {CLIENT} && ip.addr == {SERVER} && (tcp.port == 1723 || gre || icmp)"


def test_a_file_by_name(tmp_path: Path) -> None:
    assert diagnose([str(Scene().up().write(tmp_path))]).verdict is Verdict.HEALTHY


def test_a_path_that_changes_shows_in_the_ttl(tmp_path: Path) -> None:
    scene = Scene().up()
    for ttl in (64, 60):
        scene.packet(True, GRE, gre(scene.server_call, b"", None, 1), ttl=ttl)
    (session,) = scene.diagnosis(tmp_path).as_data()["sessions"]
    ttls = {way: counts["ttl"] for way, counts in session["counters"].items()}
    assert ttls == {"client_to_server": [60, 64], "server_to_client": [64, 64]}
    (refused,) = Scene().tcp(True, SYN).tcp(False, RST).diagnosis(tmp_path).as_data()["sessions"]
    assert refused["counters"]["client_to_server"]["ttl"] is None
