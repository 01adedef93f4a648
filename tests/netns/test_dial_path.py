"""How big packets may be on the path: measured with the tunnel up, both ways, on paths that say nothing themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dialling import INNER_GATEWAY, DialProcess, DialWorld, dial_world, has_traffic, reaches, wait

pytestmark = pytest.mark.root
FULL = ("--routes", "full", "--set", "dns=none")
NEGOTIATED = 1396
"""What the gateway's MRU of 1400 leaves beside MPPE."""
AROUND = 44
GRAIN = 4


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    with dial_world(tmp_path_factory.mktemp("path")) as made:
        made.serve()
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> Iterator[DialWorld]:
    """A path of 1500 octets whose router never says that something is too big."""
    shared.folder = tmp_path
    shared.repair()
    narrow(shared, 1500)
    shared.router.run("nft", "add table ip mute; add chain ip mute out { type filter hook output priority 0; }")
    shared.router.run("nft", "add rule ip mute out icmp type destination-unreachable drop")
    yield shared
    shared.end_dialers()
    narrow(shared, 1500)


def narrow(world: DialWorld, mtu: int) -> None:
    """Let the link between router and gateway carry no more than this, from the router's side."""
    world.router.ip("link", "set", "gw0", "mtu", str(mtu))


def path(dialled: DialProcess) -> dict[str, object]:
    """Wait for a measurement; return the last that said something new."""
    wait(lambda: bool(dialled.records("PATH_MTU")), 20, dialled.output)
    return dialled.records("PATH_MTU")[-1]


def device_mtu(world: DialWorld) -> int:
    return int(world.dialer.run("cat", "/sys/class/net/pptp0/mtu"))


def test_a_wide_path_keeps_what_was_negotiated(world: DialWorld) -> None:
    dialled = world.dial(*FULL)
    dialled.wait_up()
    found = path(dialled)
    assert (found["mtu"], found["both_ways"]) == (NEGOTIATED, True), found
    assert device_mtu(world) == NEGOTIATED
    wait(lambda: dialled.status().get("path") is not None, 5, dialled.output)
    assert dialled.status()["path"]["path"] == NEGOTIATED + AROUND
    assert dialled.stop() == 0


def test_a_path_that_swallows_big_packets_without_a_word(world: DialWorld) -> None:
    before = world.picture()
    narrow(world, 1300)
    dialled = world.dial(*FULL)
    dialled.wait_up()
    found = path(dialled)
    assert 1300 - AROUND - GRAIN < found["mtu"] <= 1300 - AROUND, found
    wait(lambda: device_mtu(world) == found["mtu"], 5, dialled.output)
    wait(lambda: dialled.status()["up"]["mtu"] == found["mtu"], 5, dialled.output)
    pings_whole(world, int(found["mtu"]))
    assert dialled.stop() == 0
    assert world.picture() == before


def test_a_way_back_that_fragments_is_narrow_too(world: DialWorld) -> None:
    """The server's packets come by another link, of 1300 octets; they may be fragmented, and are."""
    world.router.ip("link", "set", "up1", "mtu", "1300")
    world.router.ip("route", "add", "192.0.2.2/32", "via", "203.0.113.2")
    try:
        dialled = world.dial(*FULL)
        dialled.wait_up()
        found = path(dialled)
        assert "fragments" in found["detail"], found
        assert 1300 - AROUND - 8 <= found["mtu"] <= 1300 - AROUND, found
        assert dialled.stop() == 0
    finally:
        world.router.ip("route", "del", "192.0.2.2/32")
        world.router.ip("link", "set", "up1", "mtu", "1500")


def test_a_path_that_becomes_narrow_and_wide_again(world: DialWorld) -> None:
    told = world.folder / "told"
    hook = world.folder / "hook"
    hook.write_text(f'#!/bin/sh\necho "$HOLDFAST_EVENT $HOLDFAST_MTU" >> {told}\n')
    hook.chmod(0o755)
    dialled = world.dial(*FULL, "--set", "path_interval=1", "--set", f'hooks=["{hook}"]')
    dialled.wait_up()
    assert path(dialled)["mtu"] == NEGOTIATED
    narrow(world, 1200)
    lowered = 0

    def is_lowered() -> bool:
        nonlocal lowered
        lowered = int(path(dialled)["mtu"])
        return 1200 - AROUND - GRAIN < lowered <= 1200 - AROUND

    # A measurement that was under way when the path changed may find anything between; the next one does not.
    wait(is_lowered, 20, dialled.output)
    narrow(world, 1500)
    wait(lambda: path(dialled)["mtu"] == NEGOTIATED, 20, dialled.output)
    wait(lambda: device_mtu(world) == NEGOTIATED, 5, dialled.output)
    assert dialled.ends() == [], "the tunnel stays up through all of it"
    assert dialled.stop() == 0
    lines = [line for line in told.read_text().splitlines() if not line.startswith("down")]
    assert (lines[0], lines[-1]) == (f"up {NEGOTIATED}", f"change {NEGOTIATED}")
    assert f"change {lowered}" in lines[1:-1]


def test_it_is_never_measured_when_told_so(world: DialWorld) -> None:
    narrow(world, 1300)
    dialled = world.dial(*FULL, "--set", "path_interval=0")
    dialled.wait_up()
    wait(lambda: has_traffic(dialled), 5, dialled.output)
    assert dialled.records("PATH_MTU") == []
    assert dialled.status()["path"] is None
    assert device_mtu(world) == NEGOTIATED
    assert dialled.stop() == 0


def pings_whole(world: DialWorld, mtu: int) -> None:
    """A packet that fills the MTU gets through, one more octet does not leave."""
    for size, works in ((mtu, True), (mtu + 1, False)):
        answered = reaches(world.dialer, INNER_GATEWAY, "-M", "do", "-s", str(size - 28), tries=15 if works else 1)
        assert answered is works, size
