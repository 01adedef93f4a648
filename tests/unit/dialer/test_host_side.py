"""The host's side of a tunnel: one thing at a time, also when somebody stops waiting for it."""

import asyncio
import threading
from ipaddress import IPv4Address
from types import SimpleNamespace

import pytest

from holdfast.dialer.host_side import HostSide
from holdfast.dialer.settings import TunnelSettings
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


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def side(network, tmp_path):
    settings = TunnelSettings("vpn.example", "alice", kill_switch=True)
    made = HostSide(settings, tmp_path, kernel=SimpleNamespace(nft=SimpleNamespace(run=network.log.append)))
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
    ran = [commands for commands in network.log if isinstance(commands, list)]
    assert len(ran) == (2 if held else 1)
    if held:
        words = [next(iter(command)) for command in ran[0]]
        assert words[:3] == ["add", "delete", "create"]
        assert words.count("delete") == 1
        assert str(SERVER) in str(ran[0])
