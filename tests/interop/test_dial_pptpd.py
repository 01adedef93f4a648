"""`holdfast dial` with a real server: Debian's pptpd and pppd in a guest."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.guest import Guest
from support.dialling import DialProcess, start, wait
from support.lab_peers import USERS, PptpServer
from support.lab_world import GUEST_ADDRESS, World

pytestmark = pytest.mark.lab
Dial = Callable[..., DialProcess]
PATIENCE = 25
"""Seconds until a tunnel is up: programs start slowly in a guest, and pppd waits before it speaks."""


@pytest.fixture
def dial(lab_world: World, tmp_path: Path) -> Iterator[Dial]:
    """Dial the guest's server from the gateway's namespace, as alice; whatever still runs is ended."""
    with ExitStack() as running:

        def make(*options: str, password: str = USERS["alice"]) -> DialProcess:
            made = start(lab_world.gateway, tmp_path, GUEST_ADDRESS, *options, password=password)
            running.callback(lambda: made.process.poll() is None and made.process.kill())
            return made

        yield make


def pings(lab_world: World, address: str, size: int = 56) -> None:
    lab_world.gateway.run("ping", "-c", "3", "-i", "0.2", "-w", "60", "-s", str(size), address)


@pytest.mark.parametrize("mode", ["stateless", "stateful"])
def test_encrypted_with_ms_chap_v2(guest: Guest, lab_world: World, dial: Dial, mode: str) -> None:
    options = ("mppe-stateful",) if mode == "stateful" else ()
    with PptpServer(guest, ("require-mschap-v2", "require-mppe-128", *options)) as server:
        dialled = dial("--set", f'mppe_modes=["{mode}"]')
        dialled.wait_up(1, PATIENCE)
        pings(lab_world, "10.66.0.1")
        pings(lab_world, "10.66.0.1", 1300)
        assert dialled.status()["up"]["encryption"] == f"MPPE 128 bit {mode}"
        assert f"MPPE 128-bit {mode} compression enabled" in server.log
        assert dialled.stop() == 0, dialled.output()
        wait(lambda: "User request" in server.log, 5, lambda: server.log)


@pytest.mark.parametrize(
    ("server", "keys"),
    [
        (("require-mschap-v2", "require-mppe-40"), ("mppe_bits=[40]",)),
        (("require-mschap", "require-mppe-128"), ('authentication=["ms-chap"]',)),
        (("require-chap", "nomppe"), ('authentication=["chap-md5"]', "mppe=off")),
        (("require-pap", "nomppe"), ('authentication=["pap"]', "mppe=off")),
    ],
    ids=["40 bit", "ms-chap", "chap-md5", "pap"],
)
def test_other_methods_where_allowed(
    guest: Guest, lab_world: World, dial: Dial, server: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    with PptpServer(guest, server):
        dialled = dial(*(word for key in keys for word in ("--set", key)))
        dialled.wait_up(1, PATIENCE)
        pings(lab_world, "10.66.0.1")
        assert dialled.stop() == 0


@pytest.mark.usefixtures("lab_world")
def test_a_wrong_password_stops_at_once(guest: Guest, dial: Dial) -> None:
    with PptpServer(guest):
        dialled = dial(password="no such password")
        assert dialled.exit_code() == 2, dialled.output()
        assert "check user name and password" in dialled.output()


@pytest.mark.usefixtures("lab_world")
def test_a_server_without_encryption_is_left(guest: Guest, dial: Dial) -> None:
    with PptpServer(guest, ("require-mschap-v2", "nomppe")):
        dialled = dial("--set", "max_tries=1")
        assert dialled.exit_code(45) in {1, 2}, dialled.output()
        assert dialled.ups() == 0


def test_the_server_is_restarted(guest: Guest, lab_world: World, dial: Dial) -> None:
    keys = ("--set", "retry_spread=1", "--set", "retry_max=2", "--set", "echo_interval=2")
    with PptpServer(guest):
        dialled = dial(*keys)
        dialled.wait_up(1, PATIENCE)
        pings(lab_world, "10.66.0.1")
    wait(lambda: bool(dialled.ends()), 20, dialled.output)
    with PptpServer(guest):
        dialled.wait_up(2, PATIENCE + 10)
        pings(lab_world, "10.66.0.1")
        assert dialled.stop() == 0
