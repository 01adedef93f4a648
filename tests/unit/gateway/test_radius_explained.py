"""Why a login does not work: what `holdfast radius test` says, beside what a real FreeRADIUS writes about it. Root."""

from pathlib import Path

import pytest

from holdfast.gateway.radius_probe import FIXES, Credentials, Step, probe
from holdfast.radius.exchange_types import Fault
from holdfast.secret import Secret
from support import freeradius
from support.ports import free_ports
from unit.gateway.test_radius import configuration

pytestmark = [pytest.mark.root, pytest.mark.asyncio]
ANY = "require_message_authenticator = yes", "require_message_authenticator = no"


async def asked(
    directory: Path, *changes: tuple[str, str], secret: str = freeradius.SECRET, password: str = "secret"
) -> tuple[list[Step], str]:
    """Start a server with a configuration that was changed; return the steps of a test, and the server's log."""
    place = directory / "radius"
    ports = free_ports(2)
    freeradius.configure(place, ports)
    file = place / "radiusd.conf"
    for old, new in changes:
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    server = freeradius.start(place)
    try:
        config = configuration(directory, ports[0], secret=secret)
        steps = [step async for step in probe(config, Credentials("alice", Secret.from_text(password)))]
    finally:
        server.terminate()
        server.wait(60)
    return steps, (place / "output").read_text()


async def test_a_server_that_does_not_know_the_gateway(tmp_path):
    steps, log = await asked(tmp_path, ("ipaddr = 127.0.0.1\n    secret", "ipaddr = 127.0.0.9\n    secret"))
    assert steps[1].said == Fault.SILENT
    assert steps[1].fix == FIXES[Fault.SILENT]
    assert "no answer either" in steps[2].said
    assert "unknown client" in log


async def test_another_secret(tmp_path):
    steps, log = await asked(tmp_path, ANY, secret="another")
    assert steps[1].said == Fault.SILENT
    assert steps[2].said == Fault.WRONG_SECRET
    assert "Shared secret is incorrect" in log


async def test_another_secret_at_a_server_that_wants_signatures(tmp_path):
    steps, log = await asked(tmp_path, secret="another")
    assert "wants signatures and has another secret" in steps[2].said
    assert "Shared secret is incorrect" in log


async def test_a_wrong_password(tmp_path):
    steps, log = await asked(tmp_path, password="guess")
    assert "says no" in steps[1].said
    assert "MS-CHAP2-Response is incorrect" in log


async def test_no_server(tmp_path, unused_udp_port):
    config = configuration(tmp_path, unused_udp_port)
    steps = [step async for step in probe(config, Credentials("alice", Secret(b"secret")))]
    assert steps[-1].said == Fault.UNREACHABLE
