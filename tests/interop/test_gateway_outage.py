"""A real client through a RADIUS outage: it is not told that its password is wrong, dials again, and gets in."""

from pathlib import Path

import pytest

from support import freeradius
from support.lab_gateway import GatewayMaker, Section
from support.lab_peers import USERS, Client
from support.lab_world import GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab
UNAVAILABLE = "LCP terminated by peer (Authentication server unavailable, try again later)"
METHODS: dict[str, tuple[Section, tuple[str, ...]]] = {
    "ms-chap-v2": ({}, ("require-mppe-128",)),
    "pap": ({"authentication": ["pap"], "mppe": "off"}, ("nomppe",)),
}


@pytest.mark.parametrize("method", METHODS)
def test_pppd_persists_and_gets_in(lab_world: World, gateway: GatewayMaker, tmp_path: Path, method: str) -> None:
    ppp, options = METHODS[method]
    secrets = tmp_path / "secrets"
    secrets.write_text(f"127.0.0.1 {freeradius.SECRET}\n", encoding="ascii")
    secrets.chmod(0o600)
    ports = freeradius.free_ports(2)
    radius = {"servers": [f"127.0.0.1:{ports[0]}"], "secrets_file": str(secrets), "accounting_servers": []}
    running = gateway(ppp=ppp, radius=radius)
    wish = ("persist", "maxfail 0", "holdoff 1", *options)
    with Client(lab_world.guest, GATEWAY_ADDRESS, options=wish) as client:
        for count in (1, 2):
            assert running.wait_event("TEARDOWN", 60, count=count)["reason"] == "auth_unavailable"
        lab_world.guest.wait_until(lambda: client.log.count(UNAVAILABLE) >= 2, 180, what=client.log)
        users = f'alice Cleartext-Password := "{USERS["alice"]}"\n'
        wrap = tuple(lab_world.gateway.wrap())
        with freeradius.running(tmp_path / "radius", ports=ports, users=users, wrap=wrap):
            client.wait_up(60)
            client.ping("10.77.0.1")
            client.hang_up()
        assert "E=691" not in client.log
        assert "authentication failed" not in client.log
    assert not running.events("AUTH_FAIL")
