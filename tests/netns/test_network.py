"""Changes of the host's network, made and taken back in a network namespace of their own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.network import Namespace, namespace

pytestmark = pytest.mark.root
PLAN = """
import os, signal, sys
from ipaddress import ip_address
from pathlib import Path
from holdfast.errors import HostError
from holdfast.network.changes import AddRoute, SetLink
from holdfast.network.gateway import GatewayNetwork
from holdfast.network.host import HostNetwork
from holdfast.network.kernel import Kernel
from holdfast.network.netlink import Route

state = Path(sys.argv[1])
A = ip_address
pools = ((A("10.77.0.10"), A("10.77.0.20")), (A("10.78.0.0"), A("10.78.0.0")))
plan = GatewayNetwork("hf0", (A("10.77.0.1"),), pools).changes()
host = HostNetwork(state)
"""
KILLED = """
class Killer:
    def __init__(self, part, method, left, moment):
        self.part, self.method, self.left, self.moment = part, method, left, moment

    def __getattr__(self, name):
        real = getattr(self.part, name)
        return real if name != self.method else lambda *a, **k: self.call(real, *a, **k)

    def call(self, real, *arguments, **keywords):
        self.left -= 1
        if self.left == 0 and self.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **keywords)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

kernel = Kernel()
part, method, left, moment = sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
setattr(kernel, part, Killer(getattr(kernel, part), method, left, moment))
host = HostNetwork(state, kernel=kernel)
host.apply(plan)
host.rollback()
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def place() -> Iterator[Namespace]:
    """A namespace with the TUN of a gateway, still down, and settings that differ from the defaults."""
    with namespace("network") as made:
        made.ip("tuntap", "add", "mode", "tun", "hf0")
        made.ip("link", "add", "out0", "type", "veth", "peer", "name", "out1.5")
        made.ip("addr", "add", "192.0.2.1/24", "dev", "out0")
        made.ip("link", "set", "out0", "up")
        made.ip("route", "add", "default", "via", "192.0.2.254")
        write_sysctl(made, "net/ipv4/conf/out1.5/forwarding", "1")
        write_sysctl(made, "net/ipv4/conf/all/accept_redirects", "0")
        yield made


@pytest.fixture
def run(place: Namespace, tmp_path: Path) -> Run:
    """Run a script that begins with the plan in the namespace; its first argument is the state directory."""

    def runner(script: str, *arguments: str, before: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
        command = [*before, sys.executable, "-c", PLAN + script, str(tmp_path / "state"), *arguments]
        return subprocess.run(place.wrap(*command), capture_output=True, text=True, check=False, timeout=250)

    return runner


def write_sysctl(place: Namespace, key: str, value: str) -> None:
    place.run("sh", "-c", f"echo {value} > /proc/sys/{key}")


def picture(place: Namespace) -> dict[str, Any]:
    """Everything that a plan can touch."""
    tables = {table: json.loads(place.run("ip", "-j", "route", "show", "table", table)) for table in ("main", "local")}
    links = json.loads(place.run("ip", "-j", "link"))
    return {
        "addresses": json.loads(place.run("ip", "-j", "-4", "addr")),
        "links": [(link["ifname"], link["mtu"], "UP" in link["flags"]) for link in links],
        "routes": tables,
        "rules": json.loads(place.run("ip", "-j", "rule")),
        "sysctl": place.run("sh", "-c", "grep -rs . /proc/sys/net/ipv4/conf /proc/sys/net/ipv4/ip_forward").split("\n"),
        "firewall": json.loads(place.run("nft", "-j", "list", "ruleset"))["nftables"],
    }


def succeed(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_plan_stands_and_another_process_takes_it_back_exactly(place: Namespace, run: Run) -> None:
    before = picture(place)
    done, again = succeed(run("print(len(host.apply(plan)), len(host.apply(plan)))")).split()
    assert again == "0", "applying twice must change nothing more"
    during = picture(place)
    assert "10.77.0.1" in json.dumps(during["addresses"])
    assert ("hf0", 1400, True) in during["links"]
    assert {"10.78.0.0", "10.77.0.20"} <= {route["dst"] for route in during["routes"]["main"]}
    assert "/proc/sys/net/ipv4/ip_forward:1" in during["sysctl"]
    assert "masquerade" in json.dumps(during["firewall"])
    assert succeed(run("print(len(host.recover()))")) == done
    assert picture(place) == before


def test_rollback_in_the_same_process_leaves_no_journal(place: Namespace, run: Run, tmp_path: Path) -> None:
    before = picture(place)
    succeed(run("assert len(host.apply(plan)) == len(host.rollback())"))
    assert picture(place) == before
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["network.lock"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("part", "method", "calls"),
    [
        ("netlink", "set_link", 1),
        ("netlink", "add_address", 1),
        ("netlink", "add_route", 1),
        ("netlink", "add_route", 4),
        ("sysctl", "write", 1),
        ("nft", "run", 1),
        ("nft", "run", 2),
        ("sysctl", "write", 3),
        ("netlink", "remove_route", 2),
        ("netlink", "set_link", 2),
    ],
)
def test_what_a_killed_process_left_is_undone(
    place: Namespace, run: Run, part: str, method: str, calls: int, moment: str
) -> None:
    before = picture(place)
    killed = run(KILLED, part, method, str(calls), moment)
    assert killed.returncode == -9, killed.stderr
    succeed(run("host.recover()"))
    assert picture(place) == before
    assert succeed(run("print(host.recover())")) == "[]"


def test_a_failing_change_undoes_those_before_it(place: Namespace, run: Run) -> None:
    place.ip("link", "set", "hf0", "up")
    place.ip("route", "add", "10.78.0.0/32", "via", "192.0.2.254")
    before = picture(place)
    failed = run("host.apply(plan)")
    assert failed.returncode == 1
    assert "route 10.78.0.0/32 dev hf0: the kernel refuses: File exists" in failed.stderr
    assert "ip route" in failed.stderr
    assert picture(place) == before


def test_what_was_there_before_stays(place: Namespace, run: Run) -> None:
    place.ip("link", "set", "hf0", "up", "mtu", "1400")
    place.ip("addr", "add", "10.77.0.1/32", "dev", "hf0")
    place.ip("route", "add", "10.78.0.0/32", "dev", "hf0")
    write_sysctl(place, "net/ipv4/ip_forward", "1")
    before = picture(place)
    undone = succeed(run("host.apply(plan); print(host.rollback())"))
    assert "10.78.0.0" not in undone
    assert "ip_forward" not in undone
    assert picture(place) == before


def test_a_value_that_someone_else_set_since_is_left_alone(place: Namespace, run: Run) -> None:
    succeed(run("host.apply(plan)"))
    write_sysctl(place, "net/ipv4/ip_forward", "0")
    place.ip("link", "delete", "hf0")
    undone = succeed(run("print(host.recover())"))
    assert "address" not in undone
    assert "table inet holdfast" in undone
    assert json.loads(place.run("nft", "-j", "list", "tables"))["nftables"][1:] == []


def test_a_table_of_another_owner_is_not_touched(place: Namespace, run: Run) -> None:
    place.run("nft", "add", "table", "inet", "holdfast")
    before = picture(place)
    failed = run("host.apply(plan)")
    assert "table inet holdfast: a table of this name exists already" in failed.stderr
    assert "nft delete table inet holdfast" in failed.stderr
    assert picture(place) == before


def test_a_living_owner_is_not_robbed(run: Run) -> None:
    second = """
host.apply(plan)
try:
    HostNetwork(state).recover()
except HostError as error:
    print(error.what)
host.rollback()
HostNetwork(state).recover()
"""
    assert succeed(run(second)) == "a running process holds the network changes"


def test_another_boot_or_namespace_has_nothing_to_undo(place: Namespace, run: Run, tmp_path: Path) -> None:
    succeed(run("host.apply(plan)"))
    command = [sys.executable, "-c", PLAN + "print(host.recover())", str(tmp_path / "state")]
    with namespace("network-other") as other:
        assert other.run(*command).strip() == "[]"
    assert list((tmp_path / "state").iterdir()) == [tmp_path / "state" / "network.lock"]


def test_only_net_admin_is_needed(place: Namespace, run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    before = picture(place)
    # A checkout may lie where only root can read: reading it is no part of what is tested.
    nobody = ("setpriv", "--reuid=65534", "--clear-groups")
    some = ("--inh-caps=-all,+dac_read_search,+net_admin", "--ambient-caps=-all,+dac_read_search,+net_admin")
    succeed(run("host.apply(plan); host.rollback()", before=(*nobody, *some)))
    assert picture(place) == before
    none = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
    failed = run("host.apply(plan)", before=(*nobody, *none))
    assert "CAP_NET_ADMIN" in failed.stderr
    assert picture(place) == before


def test_a_journal_cut_short_is_read_up_to_the_cut(place: Namespace, run: Run, tmp_path: Path) -> None:
    before = picture(place)
    succeed(run("host.apply(plan)"))
    with (tmp_path / "state" / "network.journal").open("a") as journal:
        journal.write('{"kind": "route", "cha')
    succeed(run("host.recover()"))
    assert picture(place) == before


def test_a_damaged_journal_is_said_and_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    journal = tmp_path / "state" / "network.journal"
    journal.write_text("nonsense\n")
    assert "network.journal: the journal of network changes is damaged" in run("host.recover()").stderr
    assert journal.exists()


def test_some_changes_are_undone_alone(place: Namespace, run: Run) -> None:
    script = """
host.apply(plan)
extra = AddRoute(Route("198.51.100.7/32", "out0", gateway="192.0.2.254"))
host.apply([extra])
print(host.undo([extra]), host.undo([extra]))
"""
    assert succeed(run(script)) == "['route 198.51.100.7/32 via 192.0.2.254 dev out0'] []"
    assert "198.51.100.7" not in place.run("ip", "route")
    assert "10.78.0.0" in place.run("ip", "route")


def test_it_works_inside_an_event_loop(place: Namespace, run: Run) -> None:
    before = picture(place)
    script = """
import asyncio
async def main():
    host.apply(plan)
    host.rollback()
asyncio.run(main())
"""
    succeed(run(script))
    assert picture(place) == before
