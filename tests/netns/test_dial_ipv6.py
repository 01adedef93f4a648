"""IPv6 beside a tunnel that carries everything else: blocked on every way out, or left by choice and said."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dialling import DialWorld, dial_world, wait
from support.dialling import reaches as answers

pytestmark = pytest.mark.root
NEIGHBOUR, FAR, BY_A_LONGER_ROUTE = "2001:db8:1::1", "2001:db8:99::1", "2001:db8:77::1"
NOBODY = 65534
FULL = ("--routes", "full", "--set", "dns=none", "--set", "path_interval=0")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    """A dialer that has IPv6 too: a default route, a longer route, and a neighbour."""
    with dial_world(tmp_path_factory.mktemp("ipv6")) as made:
        made.serve()
        for address, link in ((f"{NEIGHBOUR}/64", "up0"), (f"{FAR}/128", "lo"), (f"{BY_A_LONGER_ROUTE}/128", "lo")):
            made.router.ip("-6", "address", "add", address, "dev", link, "nodad")
        made.router.ip("link", "set", "lo", "up")
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> Iterator[DialWorld]:
    shared.folder = tmp_path
    shared.repair()
    shared.dialer.ip("-6", "address", "add", "2001:db8:1::2/64", "dev", "up0", "nodad")
    for destination in ("default", "2001:db8:77::/48"):
        shared.dialer.ip("-6", "route", "replace", destination, "via", NEIGHBOUR, "dev", "up0")
    for address in (NEIGHBOUR, FAR, BY_A_LONGER_ROUTE):
        assert reaches(shared, address), f"{address} is not reached"
    yield shared
    shared.end_dialers()


def reaches(world: DialWorld, address: str) -> bool:
    """Whether the dialer's host reaches an IPv6 address."""
    return answers(world.dialer, address, "-6")


def is_cut_off(world: DialWorld, address: str, *options: str) -> bool:
    """Whether an IPv6 address gives no answer to the dialer's host."""
    return not answers(world.dialer, address, "-6", *options, tries=1)


@pytest.mark.parametrize("method", ["halves", "rules"])
def test_nothing_gets_out_whatever_way_it_takes(world: DialWorld, method: str) -> None:
    before = world.picture()
    dialled = world.dial(*FULL, "--set", f"full_method={method}")
    dialled.wait_up()
    assert is_cut_off(world, FAR), "by the default route"
    assert is_cut_off(world, BY_A_LONGER_ROUTE), "by a route longer than the unreachable ones"
    assert is_cut_off(world, FAR, "-I", "up0"), "by a socket bound to the interface"
    assert reaches(world, NEIGHBOUR), "our own link stays"
    assert world.pings(), "and IPv4 goes through the tunnel"
    assert dialled.stop() == 0, dialled.output()
    wait(lambda: world.picture() == before, 10, lambda: f"{world.picture()}\n{before}")
    assert reaches(world, FAR)


def sends(world: DialWorld, user: int) -> bool:
    """Whether a program of this user reaches an IPv6 address far away (a TCP connection that is refused arrived)."""
    code = (
        f"import socket as s, os; os.setuid({user}); c = s.socket(s.AF_INET6); c.settimeout(5); c.connect(('{FAR}', 9))"
    )
    done = subprocess.run(
        world.dialer.wrap(sys.executable, "-c", code), capture_output=True, text=True, check=False, timeout=60
    )
    return "ConnectionRefusedError" in done.stderr


def test_of_a_selected_user_it_is_blocked_and_of_others_not(world: DialWorld) -> None:
    before = world.picture()
    assert sends(world, NOBODY), "it is reached without a tunnel"
    dialled = world.dial(*FULL, "--set", f"user_ids=[{NOBODY}]")
    dialled.wait_up()
    assert not sends(world, NOBODY), "the user's IPv4 is in the tunnel, and so nothing of theirs may go beside it"
    assert sends(world, NOBODY - 1)
    assert reaches(world, FAR)
    assert "does not leak" in dialled.output()
    assert dialled.stop() == 0, dialled.output()
    wait(lambda: world.picture() == before, 10, lambda: f"{world.picture()}\n{before}")


def test_a_killed_dialer_leaves_it_blocked_and_clean_up_opens_it(world: DialWorld) -> None:
    dialled = world.dial(*FULL)
    dialled.wait_up()
    dialled.process.kill()
    dialled.exit_code()
    assert is_cut_off(world, FAR)
    world.end_dialers()
    assert reaches(world, FAR)


def test_it_is_left_by_choice_only_and_that_is_said(world: DialWorld) -> None:
    dialled = world.dial(*FULL, "--set", "ipv6=leave")
    dialled.wait_up()
    assert reaches(world, FAR)
    assert "IPv6 is NOT carried and goes out beside the tunnel, as was chosen (ipv6 = leave)" in dialled.output()
    assert dialled.stop() == 0, dialled.output()
