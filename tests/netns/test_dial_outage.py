"""`holdfast dial` against our gateway while its RADIUS server is away: it goes on, and gets in when that is back."""

from pathlib import Path

import pytest

from support import freeradius
from support.dialling import PASSWORD, dial_world, wait

pytestmark = pytest.mark.root


def test_an_outage_of_radius_is_no_reason_to_give_up(tmp_path: Path) -> None:
    ports = freeradius.free_ports(2)
    secrets = tmp_path / "secrets"
    secrets.write_text(f"127.0.0.1 {freeradius.SECRET}\n")
    secrets.chmod(0o600)
    radius = f'servers = ["127.0.0.1:{ports[0]}"]\nsecrets_file = "{secrets}"\naccounting_servers = []\n'
    users = f'alice Cleartext-Password := "{PASSWORD}"\n'
    with dial_world(tmp_path) as world:
        wrap = tuple(world.gateway.wrap())
        world.serve(radius=radius)
        dialled = world.dial()
        wait(lambda: len(dialled.ends()) >= 3, 120, dialled.output)
        with freeradius.running(tmp_path / "radius", ports=ports, users=users, wrap=wrap):
            dialled.wait_up(patience=60)
            assert dialled.process.poll() is None
            assert set(dialled.ends()) == {"auth_unavailable"}
            assert dialled.stop() == 0
