"""What Debian's pppd really writes as a server, judged by `diagnose --log`."""

from pathlib import Path

import pytest

from holdfast.capture.logs.judge import read_log
from lab.guest import Guest
from support.dialling import start, wait
from support.lab_peers import USERS, PptpServer
from support.lab_world import GUEST_ADDRESS, World

pytestmark = pytest.mark.lab
PATIENCE = 40


def test_a_good_session_and_a_wrong_password(guest: Guest, lab_world: World, tmp_path: Path) -> None:
    with PptpServer(guest, ("require-mschap-v2", "require-mppe-128")) as server:
        good = start(lab_world.gateway, tmp_path, GUEST_ADDRESS, password=USERS["alice"])
        good.wait_up(1, PATIENCE)
        good.stop()
        wait(lambda: "User request" in server.log, PATIENCE, lambda: server.log)
        (tmp_path / "b").mkdir()
        bad = start(lab_world.gateway, tmp_path / "b", GUEST_ADDRESS, password="not the password")
        wait(lambda: "failed CHAP authentication" in server.log, PATIENCE, bad.output)
        bad.stop()
        log = tmp_path / "pppd.log"
        log.write_text(server.log, encoding="utf-8")
    well, failed = read_log(str(log)).sessions[:2]
    assert well.up
    assert [finding.id for finding, _ in well.findings()] in ([], ["user-disconnect"])
    assert failed.user == "alice"
    assert failed.findings()[0][0].id == "auth-rejected"
