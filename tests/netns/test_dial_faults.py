"""What breaks between dialer and gateway: each is noticed in time, named rightly, and mended.

LCP echo every second, three failures: silence is noticed within 3 s + 1 s (the last echo may have just been sent when
the silence begins, and the engine waits a full interval for the answer of the last one). How long it takes is measured
by `bench.dial`; what tells here that it was the echo that noticed, and not TCP after minutes, are reason and evidence.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dialling import GATEWAY, HOLDFAST, INNER_GATEWAY, PASSWORD, DialProcess, DialWorld, dial_world, wait

pytestmark = pytest.mark.root
FULL = ("--routes", "full", "--set", "dns=none")
DETECTION = 1.0 * 3 + 1.0 + 1.0
"""Interval x failures + at most 1 s, and one interval until the first unanswered echo is sent."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    with dial_world(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> Iterator[DialWorld]:
    """The world in good order, with a gateway that runs and a fresh place for dialers."""
    shared.folder = tmp_path
    shared.repair()
    if shared.server is None:
        shared.serve()
    yield shared
    shared.end_dialers()


@pytest.fixture
def dialled(world: DialWorld) -> Iterator[DialProcess]:
    """A tunnel that is up; it leaves politely and the host is as it was."""
    before = world.picture()
    made = world.dial(*FULL)
    made.wait_up()
    wait(world.pings, 5, made.output)
    yield made
    assert made.stop() == 0, made.output()
    after = world.picture()
    for name in ("routes6", "rules", "firewall"):
        assert after[name] == before[name]
    assert "pptp0" not in after["routes"] + after["links"] + after["addresses"]


def lost(dialled: DialProcess, reason: str) -> None:
    """The loss is noticed, for that reason."""
    wait(lambda: len(dialled.ends()) >= 1, DETECTION, dialled.output)
    assert dialled.ends()[0] == reason, dialled.output()


@pytest.mark.parametrize(
    "cut",
    [
        "ip protocol 47 drop",
        "ip saddr 198.51.100.1 ip protocol 47 drop",
        "ip daddr 198.51.100.1 ip protocol 47 drop",
    ],
    ids=["both", "back", "forth"],
)
def test_gre_is_cut(world: DialWorld, dialled: DialProcess, cut: str) -> None:
    world.cut(cut)
    lost(dialled, "echo_timeout")
    wait(lambda: bool(dialled.records("DIAL_WAIT")), 2, dialled.output)
    delay = dialled.records("DIAL_WAIT")[0]["delay"]
    assert delay == 0, "the server still answers on TCP: nobody else is hit, as when a NAT forgets one flow of GRE"
    world.heal()
    dialled.wait_up(2)
    assert world.pings()


def test_the_control_connection_is_reset(world: DialWorld, dialled: DialProcess) -> None:
    world.router.run("nft", "add table ip cut; add chain ip cut forward { type filter hook forward priority -10; }")
    world.router.run("nft", "add rule ip cut forward tcp dport 1723 tcp flags & (fin|syn) == 0 reject with tcp reset")
    world.dialer.run("ss", "-K", "dst", GATEWAY, check=False)
    wait(lambda: bool(dialled.ends()), 8, dialled.output)
    world.heal()
    assert dialled.ends()[0] in {"control_lost", "echo_timeout"}
    dialled.wait_up(2)
    assert world.pings()


def test_the_server_is_killed_and_comes_back(world: DialWorld, dialled: DialProcess) -> None:
    world.end_server(signal.SIGKILL)
    lost(dialled, "control_lost")
    world.serve()
    dialled.wait_up(2)
    assert world.pings()


def test_the_server_says_goodbye_and_is_believed(world: DialWorld, dialled: DialProcess) -> None:
    world.end_server(signal.SIGTERM)
    wait(lambda: bool(dialled.ends()), 3, dialled.output)
    assert dialled.records("LINK_DOWN")[0]["by_peer"]
    assert dialled.ends()[0] == "gateway_shutdown"
    world.serve()
    dialled.wait_up(2)


def test_the_server_is_gone_without_a_word(world: DialWorld, dialled: DialProcess) -> None:
    world.gateway.ip("link", "set", "gw0", "down")
    lost(dialled, "echo_timeout")
    assert "retry" not in dialled.output()
    world.gateway.ip("link", "set", "gw0", "up")
    world.gateway.ip("route", "replace", "default", "via", "198.51.100.254")
    dialled.wait_up(2)
    assert world.pings()


def test_the_carrier_moves_to_another_uplink(world: DialWorld) -> None:
    """The kernel tells that the link is gone: without it, the next echo would be due in two minutes."""
    dialled = world.dial(*FULL, "--set", "echo_interval=120")
    dialled.wait_up()
    assert world.pings()
    world.dialer.ip("link", "set", "up0", "down")
    world.dialer.ip("route", "add", "default", "via", "203.0.113.1")
    dialled.wait_up(2, 10)
    assert dialled.records("CARRIER_CHANGE"), dialled.output()
    assert "via 203.0.113.1 dev up1" in world.dialer.ip("route", "get", GATEWAY)
    assert "pptp0" in world.dialer.ip("route", "get", "8.8.8.8")
    assert world.pings()
    assert dialled.stop() == 0, dialled.output()


def test_the_address_under_it_is_taken_away(world: DialWorld, dialled: DialProcess) -> None:
    world.dialer.ip("address", "del", "192.0.2.2/24", "dev", "up0")
    world.dialer.ip("address", "add", "192.0.2.77/24", "dev", "up0")
    world.dialer.ip("route", "add", "default", "via", "192.0.2.1")
    dialled.wait_up(2)
    assert world.pings()
    assert dialled.ends() == ["network_error"]


def test_a_better_route_appears_and_the_tunnel_stays(world: DialWorld, dialled: DialProcess) -> None:
    world.dialer.ip("route", "add", "default", "via", "203.0.113.1", "metric", "5")
    wait(lambda: any("stays" in record["detail"] for record in dialled.records("CARRIER_CHANGE")), 4, dialled.output)
    assert dialled.ends() == []
    assert world.pings()
    assert "dev up0" in world.dialer.ip("route", "get", GATEWAY)


def test_the_pinned_route_is_put_back(world: DialWorld, dialled: DialProcess) -> None:
    world.dialer.ip("route", "del", f"{GATEWAY}/32", "dev", "up0")
    wait(lambda: "up0" in world.dialer.ip("route", "show", GATEWAY), 3, dialled.output)
    assert world.pings()
    assert dialled.ends() == []


def test_the_uplink_is_renamed_and_nothing_stays_behind(world: DialWorld, dialled: DialProcess) -> None:
    def stayed() -> int:
        return sum("stays" in record["detail"] for record in dialled.records("CARRIER_CHANGE"))

    for old, new in (("up0", "wlan7"), ("wlan7", "up0")):
        before = stayed()
        world.dialer.ip("link", "set", old, "name", new)
        wait(lambda before=before: stayed() > before, 4, dialled.output)  # type: ignore[misc]
        assert f"dev {new}" in world.dialer.ip("route", "get", GATEWAY)
        assert world.pings()
    assert dialled.ends() == []
    assert dialled.stop() == 0, dialled.output()
    assert world.dialer.ip("route", "show", GATEWAY) == ""


def test_changes_elsewhere_do_not_disturb(world: DialWorld, dialled: DialProcess) -> None:
    world.dialer.ip("address", "add", "10.99.0.1/24", "dev", "up1")
    world.dialer.ip("route", "add", "10.98.0.0/24", "via", "203.0.113.1")
    time.sleep(0.5)
    assert dialled.records("CARRIER_CHANGE") == []
    assert world.pings()


def test_the_network_comes_back_while_it_waits(world: DialWorld, tmp_path: Path) -> None:
    world.dialer.ip("link", "set", "up0", "down")
    dialled = world.dial(*FULL, "--set", "retry_min=600", "--set", "retry_max=900")
    wait(lambda: len(dialled.records("DIAL_WAIT")) >= 2, 8, dialled.output)
    assert dialled.records("DIAL_WAIT")[-1]["delay"] >= 600
    world.dialer.ip("link", "set", "up0", "up")
    world.dialer.ip("route", "add", "default", "via", "192.0.2.1")
    dialled.wait_up()
    assert dialled.stop() == 0


def test_the_password_changes_after_good_weeks(world: DialWorld, tmp_path: Path) -> None:
    before = world.picture()
    dialled = world.dial(*FULL)
    dialled.wait_up()
    world.end_server(signal.SIGKILL)
    script = f"printf 'another long secret\\n' | {change_password(world)}"
    world.gateway.run("sh", "-c", script)
    world.serve()
    assert dialled.exit_code() == 2
    assert "check user name and password" in dialled.output()
    assert world.picture()["routes"] == before["routes"]
    world.gateway.run("sh", "-c", f"printf '{PASSWORD}\\n' | {change_password(world)}")


def change_password(world: DialWorld) -> str:
    return " ".join([*HOLDFAST, "user", "passwd", "alice", "--password-stdin", "--state", str(world.home / "gateway")])


def test_an_inner_heartbeat_that_stops(world: DialWorld) -> None:
    beat = ("--set", f"heartbeat={INNER_GATEWAY}", "--set", "heartbeat_interval=1", "--set", "echo_interval=0")
    dialled = world.dial(*FULL, *beat)
    dialled.wait_up()
    world.gateway.run("nft", "add table ip mute; add chain ip mute in { type filter hook input priority 0; }")
    world.gateway.run("nft", "add rule ip mute in icmp type echo-request drop")
    wait(lambda: dialled.ends()[:1] == ["echo_timeout"], 9, dialled.output)
    assert "pings to 10.77.0.1" in dialled.output()
    world.gateway.run("nft", "flush table ip mute")
    dialled.wait_up(2)
    assert dialled.stop() == 0


def test_a_lossy_way_is_no_obstacle(world: DialWorld) -> None:
    world.cut("numgen random mod 100 < 10 drop")
    dialled = world.dial(*FULL, "--set", "echo_failures=8")
    dialled.wait_up()
    wait(world.pings, 10, dialled.output)
    assert dialled.stop() == 0


def test_doubled_and_late_packets_are_no_obstacle(world: DialWorld) -> None:
    """Every packet of GRE from the server comes twice: once as it is, once again by another way."""
    world.router.run("nft", "add table ip cut; add chain ip cut forward { type filter hook forward priority -10; }")
    double = "ip saddr 198.51.100.1 ip protocol gre dup to 192.0.2.2 device up0"
    world.router.run("nft", f"add rule ip cut forward {double}")
    dialled = world.dial(*FULL)
    dialled.wait_up()
    assert world.pings()
    counters = dialled.status()["counters"]
    assert counters["gre_duplicates"] > 0, counters
    assert dialled.stop() == 0
