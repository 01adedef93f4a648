"""The host's side of a tunnel: one thing at a time, also when somebody stops waiting for it."""

import asyncio
import threading
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace

import pytest

from holdfast.dialer import dns
from holdfast.dialer.addresses import HostView
from holdfast.dialer.carrier_path import CarrierPath
from holdfast.dialer.dhcp import Answer
from holdfast.dialer.host_side import HostSide, Surroundings
from holdfast.dialer.outcome import Up
from holdfast.dialer.settings import DnsMode, DnsSettings, RouteMode, RouteSettings, TunnelSettings
from holdfast.errors import HostError
from holdfast.network import resolved
from holdfast.network.changes import AddRoute
from holdfast.network.netlink import Route

pytestmark = pytest.mark.asyncio
SERVER = IPv4Address("192.0.2.1")
ROUTE = AddRoute(Route("10.0.0.0/8", "pptp0"))


class Network:
    """A host that takes its time."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.held = False

    def apply(self, changes) -> list[str]:
        self.log.append("begins")
        self.begun.set()
        assert self.may_end.wait(10)
        self.log.append(f"made {len(changes)}")
        return []

    def undo(self, changes) -> list[str]:
        self.log.append(f"undone {len(changes)}")
        return []

    def rollback(self) -> list[str]:
        self.log.append("rolled back")
        return []

    def holds(self, _change) -> bool:
        return self.held

    def remake(self, table) -> None:
        self.log.append(f"remade {table}")

    def filter(self, commands) -> None:
        self.log.append(list(commands))

    def restore_tables(self) -> list[str]:
        return ["what was lost"]


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def side(network, tmp_path):
    settings = TunnelSettings("vpn.example", "alice", kill_switch=True)
    kernel = SimpleNamespace(nft=SimpleNamespace(run=network.log.append), nf_tables=SimpleNamespace())
    made = HostSide(settings, tmp_path, kernel=kernel)
    made._network = network
    return made


@pytest.mark.parametrize(("leave", "said"), [("down", "undone 1"), ("end", "rolled back")])
async def test_what_is_being_made_when_its_try_is_given_up_is_taken_back_after_it_was_made(side, network, leave, said):
    """A thread cannot be stopped: taking back beside it would leave its last routes and name servers for good."""
    making = asyncio.create_task(side._make([ROUTE]))
    await asyncio.to_thread(network.begun.wait, 10)
    making.cancel()
    leaving = asyncio.create_task(getattr(side, leave)())
    await asyncio.sleep(0.05)
    assert network.log == ["begins"]
    network.may_end.set()
    await leaving
    assert network.log == ["begins", "made 1", said]
    with pytest.raises(asyncio.CancelledError):
        await making


@pytest.mark.parametrize("held", [False, True])
async def test_a_kill_switch_that_is_taken_over_gets_the_rules_of_now(side, network, held):
    network.held = held
    network.may_end.set()
    await side.guard([SERVER])
    assert ("remade table inet holdfast-default" in network.log) is held
    assert str(SERVER) in str(network.log[-1])


async def test_what_somebody_took_out_of_the_firewall_is_told_by_the_network(side):
    assert await side.restore_tables() == ["what was lost"]


@pytest.mark.parametrize("stands", [False, True])
async def test_a_kill_switch_that_somebody_flushed_while_nobody_was_there_remembers_nothing(side, network, stands):
    network.held = True
    side._kernel.nf_tables.has_table = lambda _family, _name: stands
    side._kernel.nft.set_elements = lambda *_: [str(SERVER)]
    assert await side.remembered() == ([SERVER] if stands else [])


UP = Up("10.0.0.9", "10.0.0.1", ("10.0.0.53",), 1400, "", 1, "192.0.2.2")
AROUND = Surroundings(HostView(), CarrierPath(Route("0.0.0.0/0", "eth0", "192.0.2.254")), 1400)


class DeafNames(Network):
    """A host whose systemd-resolved takes nothing."""

    def apply(self, changes):
        if any(change.kind == "resolved" for change in changes):
            raise HostError("systemd-resolved refuses: no", where="DNS")
        self.log += [str(change) for change in changes]
        return [str(change) for change in changes]


def deaf(tmp_path, monkeypatch, *, lives=False, mode=DnsMode.AUTO, routes=RouteMode.FULL):
    """A host side whose systemd-resolved has left its files, or lives and refuses."""
    monkeypatch.setattr(dns, "resolved_runs", lambda: True)
    monkeypatch.setattr(resolved, "answers", lambda: lives)
    kernel = SimpleNamespace(
        nft=SimpleNamespace(installed=lambda: False), sysctl=SimpleNamespace(read=lambda _key: "1")
    )
    settings = TunnelSettings("vpn.example", "alice", routes=RouteSettings(routes), dns=DnsSettings(mode))
    made = HostSide(settings, tmp_path, kernel=kernel)
    made._network = DeafNames()
    return made


async def test_where_resolved_is_dead_names_are_asked_by_resolv_conf(tmp_path, monkeypatch):
    """Its stub file outlives it, so that it cannot be known before it is asked."""
    side = deaf(tmp_path, monkeypatch)
    done, why = await side.up(UP, SERVER, AROUND)
    assert "file /etc/resolv.conf" in done
    assert "systemd-resolved has left its files here and does not answer" in " ".join(why)
    assert not side.told_resolved, "nobody may wait for it to be told again"


@pytest.mark.parametrize(("lives", "mode"), [(True, DnsMode.AUTO), (False, DnsMode.RESOLVED)])
async def test_a_resolved_that_lives_or_was_asked_for_is_not_passed_over(tmp_path, monkeypatch, lives, mode):
    with pytest.raises(HostError, match="refuses"):
        await deaf(tmp_path, monkeypatch, lives=lives, mode=mode).up(UP, SERVER, AROUND)


async def test_the_servers_routes_are_taken_though_resolved_is_dead(tmp_path, monkeypatch):
    side = deaf(tmp_path, monkeypatch, routes=RouteMode.SPLIT)
    answer = Answer(routes=(IPv4Network("10.9.0.0/16"),), domain="corp.example")
    done, said = await side.more(answer, UP, AROUND)
    assert done == ["route 10.9.0.0/16 dev pptp0"]
    assert "does not answer" in said[0]


async def test_the_address_comes_first_and_is_not_made_twice(tmp_path, monkeypatch):
    side = deaf(tmp_path, monkeypatch)
    first = await side.address(UP, SERVER, AROUND)
    rest, _why = await side.up(UP, SERVER, AROUND)
    assert len(first) == 2
    assert not set(first) & set(rest)
    await side.down()
    assert side._network.log[-1] == f"undone {len(first) + len(rest)}"
