"""Name servers told to a real systemd-resolved, and names asked through the tunnel."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dialling import INNER_GATEWAY, DialProcess, DialWorld, dial_world, wait
from support.resolved import Resolved

pytestmark = pytest.mark.root
NAMES = Path(__file__).parents[1] / "support" / "lab_internet.py"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    """A gateway that hands itself out as name server, and answers every name with its own inner address."""
    with dial_world(tmp_path_factory.mktemp("resolved")) as made:
        made.serve(addresses=f'dns = ["{INNER_GATEWAY}"]')
        wait(lambda: INNER_GATEWAY in made.gateway.ip("address"), 10, str)
        server = made.gateway.start("python3", NAMES, INNER_GATEWAY, made.home)
        wait(lambda: f"{INNER_GATEWAY}:53" in made.gateway.run("ss", "-lnu"), 10, str)
        try:
            yield made
        finally:
            server.kill()
            server.wait()


@pytest.fixture
def resolved(world: DialWorld, tmp_path: Path) -> Iterator[Resolved]:
    world.folder = tmp_path
    world.repair()
    made = Resolved(tmp_path / "resolved")
    yield made
    world.end_dialers()
    made.end()


def dial(world: DialWorld, resolved: Resolved, *options: str) -> DialProcess:
    dialled = world.dial(*options, wrap=resolved.wrap)
    dialled.wait_up()
    return dialled


def test_all_names_are_asked_through_a_full_tunnel(world: DialWorld, resolved: Resolved) -> None:
    dialled = dial(world, resolved, "--routes", "full")
    pid = dialled.process.pid
    assert "systemd-resolved asks 10.77.0.1 for all names" in dialled.output()
    assert INNER_GATEWAY in resolved.ask(pid, "dns", "pptp0")
    assert "~." in resolved.ask(pid, "domain", "pptp0")
    assert "yes" in resolved.ask(pid, "default-route", "pptp0")
    assert INNER_GATEWAY in resolved.ask(pid, "query", "-4", "anything.example")
    assert dialled.stop() == 0, dialled.output()
    assert "DNS 10.77.0.1" in dialled.records("HOST_CHANGE")[-1]["detail"]


def test_only_the_domains_inside_are_asked_through_a_split_tunnel(world: DialWorld, resolved: Resolved) -> None:
    split = ("--network", "10.0.0.0/8", "--set", "ask_server=false", "--set", 'domains=["corp.example"]')
    dialled = dial(world, resolved, *split)
    pid = dialled.process.pid
    assert "~corp.example" in resolved.ask(pid, "domain", "pptp0")
    assert "no" in resolved.ask(pid, "default-route", "pptp0").split()
    assert INNER_GATEWAY in resolved.ask(pid, "query", "-4", "host.corp.example")
    assert INNER_GATEWAY not in resolved.ask(pid, "query", "-4", "elsewhere.example")
    assert dialled.stop() == 0, dialled.output()


def asks_the_tunnel(resolved: Resolved, pid: int) -> bool:
    """Whether systemd-resolved knows the tunnel's name server, and that it is for all names."""
    return INNER_GATEWAY in resolved.ask(pid, "dns", "pptp0") and "~." in resolved.ask(pid, "domain", "pptp0")


def test_a_restarted_resolved_is_told_again(world: DialWorld, resolved: Resolved) -> None:
    dialled = dial(world, resolved, "--routes", "full")
    pid = dialled.process.pid
    resolved.kill()
    resolved.start(pid)
    wait(lambda: asks_the_tunnel(resolved, pid), 40, dialled.output)
    assert INNER_GATEWAY in resolved.ask(pid, "query", "-4", "anything.example")
    wait(lambda: "had lost the tunnel's name servers" in dialled.output(), 10, dialled.output)
    assert dialled.stop() == 0, dialled.output()
    assert "DNS 10.77.0.1" in dialled.records("HOST_CHANGE")[-1]["detail"], "it is taken back as well"


def test_settings_that_somebody_else_took_away_are_put_back(world: DialWorld, resolved: Resolved) -> None:
    dialled = dial(world, resolved, "--routes", "full")
    pid = dialled.process.pid
    assert resolved.ask(pid, "revert", "pptp0") == ""
    wait(lambda: asks_the_tunnel(resolved, pid), 40, dialled.output)
    assert dialled.stop() == 0, dialled.output()


def test_a_resolved_that_dies_is_said_and_leaving_is_polite_all_the_same(world: DialWorld, resolved: Resolved) -> None:
    before = world.picture()
    dialled = dial(world, resolved, "--routes", "full")
    resolved.kill()
    # Its files stay as they were: it is missed when it is asked the next time.
    assert dialled.stop() == 0, dialled.output()
    wait(lambda: world.picture() == before, 10, lambda: f"{world.picture()}\n{before}")
    assert dialled.ends() == ["user_request"]


def test_one_that_was_dead_before_ends_no_try(world: DialWorld, resolved: Resolved) -> None:
    """Its stub file outlives it: that it is dead shows when it is told the name servers."""
    before = world.picture()
    resolved.dead = True
    dialled = dial(world, resolved, "--routes", "full")
    pid = dialled.process.pid
    assert "systemd-resolved has left its files here and does not answer" in dialled.output()
    assert f"nameserver {INNER_GATEWAY}" in resolved.read(pid, "/etc/resolv.conf")
    assert dialled.stop() == 0, dialled.output()
    wait(lambda: world.picture() == before, 10, lambda: f"{world.picture()}\n{before}")
    assert "file /etc/resolv.conf" in dialled.records("HOST_CHANGE")[-1]["detail"]


def test_a_dead_one_that_was_asked_for_by_name_is_an_error(world: DialWorld, resolved: Resolved) -> None:
    resolved.dead = True
    dialled = world.dial("--routes", "full", "--set", "dns=resolved", wrap=resolved.wrap)
    assert dialled.process.wait(60) == 2, dialled.output()
    assert "systemd-resolved refuses" in dialled.output()
