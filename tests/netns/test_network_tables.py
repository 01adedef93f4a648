"""Our firewall tables against the kernel itself: what others take out is seen and put back, the rest is theirs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.network import Namespace, namespace

pytestmark = pytest.mark.root
HEAD = """
import asyncio, json, subprocess, sys, time
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path
from holdfast.dialer import ipv6_wall, kill_switch
from holdfast.network.changes import AddTable
from holdfast.network.filters import FilterRule
from holdfast.network.gateway import GatewayNetwork
from holdfast.network.host import HostNetwork
from holdfast.network.kernel import Kernel
from holdfast.network.nf_tables import NfTables
from holdfast.network.table_keeper import kept

RULES = {"staff": [FilterRule.parse("allow 10.0.0.0/8 tcp 22,80-90"), FilterRule.parse("deny any")], "guests": []}
POOL = ((IPv4Address("10.77.0.1"), IPv4Address("10.77.0.250")),)
GATEWAY = GatewayNetwork("tun0", (), POOL, nat_interface="up0", isolate_clients=True, filters=RULES)
SWITCH = kill_switch.plan("office", "pptp0", [IPv4Address("192.0.2.1")], 1723, [IPv4Network("10.0.0.0/8")])
WALL = ipv6_wall.plan("office", [IPv6Network("2001:db8:1::/64")])
TABLES = [change for change in GATEWAY.changes() if isinstance(change, AddTable)] + [SWITCH, WALL]
MEMBERS = [f"10.77.0.{number}" for number in range(20, 60)] + ["192.168.5.0/24"]

def nft(*words):
    return subprocess.run(["nft", *words], check=True, capture_output=True, text=True).stdout

def listing():
    # The tables in a fixed order: one that was made anew is the last in the kernel's.
    return sorted(nft("-s", "list", "ruleset").split("\\n}\\n"))

host = HostNetwork(Path(sys.argv[1]))
"""


@pytest.fixture
def place() -> Iterator[Namespace]:
    with namespace("tables") as made:
        yield made


def run(place: Namespace, tmp_path: Path, script: str) -> Any:
    command = place.wrap(sys.executable, "-c", HEAD + script, str(tmp_path / "state"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


DAMAGE = {
    "flush ruleset": {"whole": 3},
    "delete table inet holdfast": {"the whole table": 1},
    "flush table inet holdfast-office": {"of chain forward": 1, "of chain output": 1},
    "flush chain inet holdfast-office output": {"7 rules of chain output": 1},
    "flush set inet holdfast filter1": {"41 members of set filter1": 1},
    "delete element inet holdfast filter1 { 10.77.0.33 }": {"1 member of set filter1": 1},
    "delete element inet holdfast filter1 { 192.168.5.0/24 }": {"1 member of set filter1": 1},
    "add chain inet holdfast-office output { policy accept; }": {"the policy of chain output": 1},
    "rename chain inet holdfast filter0_rules x": {"chain filter0_rules": 1},
    "add table inet holdfast-office { flags dormant; }": {"dormant": 1},
    "delete element inet holdfast-office servers { 192.0.2.1 }": {"1 member of set servers": 1},
    "flush ruleset; add table inet holdfast; add table inet holdfast-office": {"another one": 2, "the whole table": 3},
    "flush chain ip6 holdfast-ipv6-office forward": {"3 rules of chain forward": 1},
}


def test_whatever_is_taken_out_is_named_and_stands_again(place: Namespace, tmp_path: Path) -> None:
    script = f"""
host.apply(TABLES)
host.filter(GATEWAY.refilter(MEMBERS, "", "staff"))
assert host.restore_tables() == []
whole, found = listing(), {{}}
for damage in {list(DAMAGE)!r}:
    nft(damage)
    assert listing() != whole, damage
    found[damage] = [lost.what for lost in host.restore_tables() if not lost.refusal]
    assert listing() == whole, damage
    assert host.restore_tables() == [], damage
host.rollback()
assert listing() == [""], listing()
print(json.dumps(found))
"""
    found = run(place, tmp_path, script)
    for damage, words in DAMAGE.items():
        for word, count in words.items():
            assert sum(word in what for what in found[damage]) == count, (damage, found[damage])


def test_what_others_do_is_theirs(place: Namespace, tmp_path: Path) -> None:
    script = """
nft("add table inet theirs; add set inet theirs s { type ipv4_addr; }")
host.apply(TABLES)
host.filter(GATEWAY.refilter(MEMBERS, "", "staff"))
for change in ("add element inet theirs s { 1.2.3.4 }", "add rule inet holdfast forward counter",
               "insert rule inet holdfast-office output oifname \\"up9\\" accept",
               "flush set inet theirs s", "delete table inet theirs", "add table inet holdfast"):
    nft(change)
    assert host.restore_tables() == [], change
assert "up9" in str(listing())
"""
    run(place, tmp_path, script)


def test_a_killed_process_that_had_put_its_tables_back_leaves_nothing_to_the_next(
    place: Namespace, tmp_path: Path
) -> None:
    script = """
nft("add table inet theirs")
host.apply(TABLES)
nft("flush ruleset; add table inet theirs")
print(len(host.restore_tables()))
"""
    assert run(place, tmp_path, script) == 3
    run(place, tmp_path, "host.recover(); assert listing() == ['', 'table inet theirs {'], listing()")


def test_what_is_gone_when_its_owner_ends_is_no_trouble(place: Namespace, tmp_path: Path) -> None:
    run(place, tmp_path, "host.apply(TABLES); nft('flush ruleset'); host.rollback(); assert listing() == ['']")


STORM = """
looks, told = [], []

async def look():
    looks.append(time.monotonic())
    return await asyncio.to_thread(host.restore_tables)

def others():
    for number in range(300):
        nft(f"add element inet theirs s {{ 10.{number // 256}.{number % 256}.1 }}")

async def main():
    nft("add table inet theirs; add set inet theirs s { type ipv4_addr; }")
    host.apply(TABLES)
    async with kept(look, told.append):
        began = time.monotonic()
        await asyncio.to_thread(others)
        for number in range(60, 90):
            await asyncio.to_thread(host.filter, GATEWAY.refilter([f"10.77.0.{number}"], "", "staff"))
        took = time.monotonic() - began
    print(json.dumps({"looks": len(looks), "told": list(map(str, told)), "took": took}))

asyncio.run(main())
"""


def test_a_storm_of_other_peoples_changes_costs_a_few_looks(place: Namespace, tmp_path: Path) -> None:
    found = run(place, tmp_path, STORM)
    assert found["told"] == []
    assert 1 <= found["looks"] <= 3 + found["took"] / 0.1, found


FIGHT = """
told = []

async def look():
    return await asyncio.to_thread(host.restore_tables)

def other():
    times = 0
    while times < 12:
        done = subprocess.run(["nft", "delete", "table", "inet", "holdfast-office"], capture_output=True)
        times += done.returncode == 0
        time.sleep(0.01)
    return times

async def main():
    host.apply(TABLES)
    whole, began = listing(), time.monotonic()
    async with kept(look, told.append):
        times = await asyncio.to_thread(other)
        async with asyncio.timeout(60):
            while listing() != whole:
                await asyncio.sleep(0.05)
        during, took = len(told), time.monotonic() - began
    facts = [fact for fact in told if fact.name == "FIREWALL_LOST"]
    assert len(facts) == len(told), told
    print(json.dumps({"during": during, "took": took, "told": sum(fact.times for fact in facts),
                      "open": sum(fact.open_seconds for fact in facts), "fight": facts[-1].detail}))
    host.rollback()
    assert listing() == [""]

asyncio.run(main())
"""


def test_a_fight_is_fought_with_pauses_and_told_a_few_times(place: Namespace, tmp_path: Path) -> None:
    found = run(place, tmp_path, FIGHT)
    assert found["told"] == 12, "every time it was deleted it was put back, and counted"
    assert 3 <= found["during"] <= 5 + found["took"] / 60, "beyond the first few it is told once a minute"
    assert "again and again" in found["fight"]
