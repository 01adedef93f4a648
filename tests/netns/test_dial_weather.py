"""Bad weather between dialer and gateway, made by a relay of our own: what is no reason to hang up, and what is.

LCP echo every second, and silence is noticed within interval x failures + 1 s: how long it takes is measured by
`bench.dial`, and what tells here that it was the echo are reason and evidence.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dialling import GATEWAY, INNER_GATEWAY, DialProcess, DialWorld, dial_world, wait
from support.relay import LEFT, RIGHT

pytestmark = pytest.mark.root
FULL = ("--routes", "full", "--set", "dns=none")
PATIENT = (*FULL, "--set", "echo_failures=6", "--set", "path_interval=0")
DETECTION = 1.0 * 3 + 1.0 + 1.0
"""Interval x failures + at most 1 s, and one interval until the first unanswered echo is sent."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    with dial_world(tmp_path_factory.mktemp("weather"), weather=True) as made:
        made.serve()
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> Iterator[DialWorld]:
    """Fair weather, and afterwards a host of the dialer that is as it was."""
    shared.folder = tmp_path
    shared.repair()
    before = shared.picture()
    yield shared
    shared.weather.set()
    for one in shared.dialled:
        assert one.stop() == 0, one.output()
    shared.end_dialers()
    shared.repair()
    wait(lambda: shared.picture() == before, 10, lambda: f"{shared.picture()}\n{before}")


def ping(world: DialWorld, count: int = 100) -> tuple[int, str]:
    """Ping the gateway through the tunnel, one every 20 ms; return how many were answered, and the report."""
    report = world.dialer.run("ping", "-q", "-i", "0.02", "-c", str(count), "-W", "2", INNER_GATEWAY, check=False)
    found = re.search(r"(\d+) received", report)
    assert found is not None, report
    return int(found[1]), report


def wait_for_traffic(world: DialWorld, dialled: DialProcess) -> None:
    """Wait for an answer: where the last acknowledgement of IPCP was lost, the gateway asks again in three seconds."""
    wait(lambda: ping(world, 5)[0] > 0, 30, dialled.output)


def test_loss_both_ways_is_no_reason_to_hang_up(world: DialWorld) -> None:
    dialled = world.dial(*PATIENT)
    dialled.wait_up()
    world.weather.set(loss=0.1)
    answered, report = ping(world, 200)
    assert 100 < answered < 200, report
    counts = world.weather.set()
    assert counts["lost"] > 0
    assert dialled.ends() == []
    assert dialled.status()["counters"]["gre_lost"] > 0


def test_it_comes_up_over_a_way_that_loses_a_tenth(world: DialWorld) -> None:
    world.weather.set(loss=0.1)
    dialled = world.dial(*PATIENT)
    dialled.wait_up()
    wait_for_traffic(world, dialled)
    assert ping(world)[0] > 30


def test_a_long_way_with_jitter(world: DialWorld) -> None:
    world.weather.set(delay=0.15, jitter=0.05)
    dialled = world.dial(*PATIENT)
    dialled.wait_up()
    assert ping(world)[0] >= 95
    wait(lambda: dialled.status()["counters"]["round_trip_time"] >= 0.3, 5, dialled.output)
    assert dialled.ends() == []


def test_packets_that_pass_each_other(world: DialWorld) -> None:
    dialled = world.dial(*PATIENT)
    dialled.wait_up()
    world.weather.set(reorder=0.2, hold=0.03)
    answered, report = ping(world, 200)
    assert answered >= 190, report
    assert world.weather.set()["held"] > 0
    assert dialled.status()["counters"]["gre_reordered"] > 0
    assert dialled.ends() == []


def test_packets_that_come_twice(world: DialWorld) -> None:
    dialled = world.dial(*PATIENT)
    dialled.wait_up()
    world.weather.set(duplicate=0.3)
    answered, report = ping(world, 200)
    assert answered >= 190, report
    assert "duplicates" not in report, "what came twice reaches the inside once"
    assert dialled.status()["counters"]["gre_duplicates"] > 0
    assert dialled.ends() == []


def test_all_of_it_at_once(world: DialWorld) -> None:
    world.weather.set(loss=0.03, delay=0.04, jitter=0.02, reorder=0.1, duplicate=0.1)
    dialled = world.dial(*PATIENT)
    dialled.wait_up()
    wait_for_traffic(world, dialled)
    answered, report = ping(world, 200)
    assert answered >= 140, report
    assert dialled.ends() == []


@pytest.mark.parametrize(
    ("cut", "gre_only"),
    [((LEFT, RIGHT), True), ((LEFT,), False), ((RIGHT,), False), ((LEFT, RIGHT), False)],
    ids=["gre", "forth", "back", "everything"],
)
def test_a_way_that_is_cut(world: DialWorld, cut: tuple[str, ...], gre_only: bool) -> None:
    dialled = world.dial(*FULL)
    dialled.wait_up()
    world.weather.set(cut=cut, gre_only=gre_only)
    wait(lambda: dialled.ends() != [], DETECTION, dialled.output)
    assert dialled.ends()[0] == "echo_timeout"
    assert f"GRE with {GATEWAY} stopped" in dialled.records("TEARDOWN")[0]["evidence"]
    if gre_only:
        wait(lambda: dialled.records("DIAL_WAIT") != [], 3, dialled.output)
        assert dialled.records("DIAL_WAIT")[0]["delay"] == 0, "the server answers on TCP: this loss is ours alone"
    world.weather.set()
    dialled.wait_up(2)
    assert world.pings()


def test_a_nat_that_forgets_gre(world: DialWorld) -> None:
    """The router hides the dialer with the kernel's PPTP helper, lets in only what belongs to a flow that it knows, and
    forgets that of GRE: its expectation is used up, so only a new call opens the way again. TCP never noticed."""
    world.router.run("nft", "-f", "-", input=NAT)
    try:
        dialled = world.dial(*FULL)
        dialled.wait_up()
        forget_flows(world)
        wait(lambda: dialled.ends() != [], DETECTION, dialled.output)
        assert dialled.ends()[0] == "echo_timeout"
        wait(lambda: dialled.records("DIAL_WAIT") != [], 3, dialled.output)
        assert dialled.records("DIAL_WAIT")[0]["delay"] == 0, "the server answers on TCP: this loss is ours alone"
        dialled.wait_up(2)
        assert world.pings()
    finally:
        world.heal()


NAT = """
table ip cut {
    ct helper pptp { type "pptp" protocol tcp; l3proto ip; }
    chain helped { type filter hook prerouting priority filter; tcp dport 1723 ct helper set "pptp"; }
    chain nat { type nat hook postrouting priority 100; oifname "gw0" masquerade; }
    chain in { type filter hook forward priority 0; iifname "gw0" ct state new drop; }
}
"""


def forget_flows(world: DialWorld) -> None:
    """Empty the router's table of flows, as a NAT does that is short of memory."""
    world.router.run("conntrack", "-D", "-p", "gre", check=False)


def test_the_server_loses_its_address(world: DialWorld) -> None:
    dialled = world.dial(*FULL)
    dialled.wait_up()
    world.gateway.ip("address", "del", f"{GATEWAY}/24", "dev", "gw0")
    wait(lambda: dialled.ends() != [], DETECTION, dialled.output)
    assert dialled.ends()[0] in {"echo_timeout", "control_lost"}
    wait(lambda: len(dialled.records("DIAL_WAIT")) >= 1, 5, dialled.output)
    world.gateway.ip("address", "add", f"{GATEWAY}/24", "dev", "gw0")
    world.gateway.ip("route", "replace", "default", "via", "198.51.100.254")
    dialled.wait_up(2)
    assert world.pings()
