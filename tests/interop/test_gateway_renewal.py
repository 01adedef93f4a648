"""Debian's pppd is challenged again on a link with MPPE: it answers, and traffic goes on (Termination-Action)."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import freeradius
from support.lab_gateway import Gateway, GatewayMaker
from support.lab_peers import USERS, Client
from support.lab_world import GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab
PASSWORD = USERS["alice"]
PLAN = f"""
alice Cleartext-Password := "{PASSWORD}"
    Session-Timeout := 5, Termination-Action := RADIUS-Request, State := 0x7469636b6574
"""
OVER = f"""
alice Cleartext-Password := "{PASSWORD}", Auth-Type := Reject
    Reply-Message := "your subscription is over"
"""


@pytest.fixture
def radius(lab_world: World, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """FreeRADIUS beside the gateway, on its loopback."""
    place = tmp_path / "radius"
    freeradius.configure(place, (1812, 1813), users=PLAN)
    server = freeradius.start(place, tuple(lab_world.gateway.wrap()))
    yield server
    server.terminate()
    server.wait(60)


def start(gateway: GatewayMaker, directory: Path) -> Gateway:
    secrets = directory / "secrets"
    secrets.touch(0o600)
    secrets.write_text(f"127.0.0.1 {freeradius.SECRET}\n", encoding="ascii")
    radius = {"servers": ["127.0.0.1"], "secrets_file": str(secrets), "accounting_servers": []}
    return gateway(radius=radius)


def test_pppd_is_asked_again_and_traffic_goes_on_until_radius_says_no(
    lab_world: World, gateway: GatewayMaker, radius: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    running = start(gateway, tmp_path)
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        _, peer = client.wait_up()
        client.ping(peer, size=1200)
        for count in (1, 2):
            running.wait_event("RENEWED", 60, count=count)
            client.ping(peer, size=1200)
        assert len(running.events("MPPE_UP")) == 1, "the keys stay those of the first sign-in"
        assert not running.events("MPPE_REKEY")
        (tmp_path / "radius" / "users").write_text(OVER)
        radius.send_signal(signal.SIGHUP)
        end = running.wait_event("TEARDOWN", 60)
        assert end["reason"] == "auth_failed"
        assert "your subscription is over" in end["evidence"]
        client.wait_end()
