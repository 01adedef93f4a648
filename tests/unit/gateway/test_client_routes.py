"""Routes to clients outside the pools."""

import asyncio
import threading
from ipaddress import ip_address

import pytest

from holdfast.errors import HostError
from holdfast.gateway.client_routes import ClientRoutes, no_routes
from holdfast.network.changes import AddRoute, SetSysctl
from holdfast.network.gateway import GatewayNetwork

pytestmark = pytest.mark.asyncio

OUTSIDE, OTHER, INSIDE = map(ip_address, ("192.168.5.5", "192.168.5.6", "10.77.0.10"))


class Network:
    """A host that remembers what it was told, refuses what it is told to refuse, and takes its time."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.refused = ""
        self.why: Exception = HostError("the kernel refuses: File exists", where="route")
        self.lost: list[str] = []
        self.off: list[str] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.begun = threading.Event()

    def apply(self, plan: list[AddRoute]) -> None:
        self._note("add", plan)

    def undo(self, plan: list[AddRoute]) -> None:
        self._note("remove", plan)

    def restore_routes(self, interface: str) -> list[str]:
        assert interface == PLAN.tun
        made, self.lost = self.lost, []
        return made

    def restore_settings(self, settings: list[SetSysctl]) -> list[str]:
        made, self.off = self.off, []
        assert [change.key for change in settings] == ["net/ipv4/ip_forward"]
        return made

    def _note(self, verb: str, plan: list[AddRoute]) -> None:
        self.begun.set()
        assert self.may_go_on.wait(60)
        assert threading.current_thread() is not threading.main_thread()
        (change,) = plan
        if change.route.destination == self.refused:
            raise self.why
        self.done.append(f"{verb} {change.route.destination}")


PLAN = GatewayNetwork("hf0", (), ((INSIDE, INSIDE),))


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def told():
    return []


@pytest.fixture
def routes(network, told):
    return ClientRoutes(network, PLAN, lambda event, _context: told.append(event))


async def idle(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)


async def test_changes_happen_in_the_order_of_the_sessions(routes, network):
    network.may_go_on.clear()
    routes.add(OUTSIDE)
    routes.add(INSIDE)
    routes.remove(OUTSIDE)
    routes.add(OUTSIDE)
    routes.add(OTHER)
    network.may_go_on.set()
    wanted = [f"add {OUTSIDE}/32", f"remove {OUTSIDE}/32", f"add {OUTSIDE}/32", f"add {OTHER}/32"]
    await idle(lambda: network.done == wanted)
    routes.remove(OTHER)
    await idle(lambda: network.done[-1] == f"remove {OTHER}/32")


async def test_what_the_host_refuses_is_told_and_the_next_goes_on(routes, network, told):
    network.refused = f"{OUTSIDE}/32"
    routes.add(OUTSIDE)
    routes.add(OTHER)
    await idle(lambda: network.done == [f"add {OTHER}/32"])
    assert [event.where for event in told] == ["network"]
    assert "File exists" in told[0].detail


async def test_a_fault_of_ours_is_told_and_the_next_goes_on(routes, network, told):
    """Whoever waits hears of it, and the worker lives on: without it nobody with a filter would get in any more."""
    network.refused, network.why = f"{OUTSIDE}/32", OSError(24, "Too many open files")
    routes.add(OUTSIDE)
    routes.add(OTHER)
    await idle(lambda: network.done == [f"add {OTHER}/32"])
    assert "OSError at test_client_routes.py" in told[0].detail
    with pytest.raises(HostError, match="it failed"):
        await routes.refilter((str(OTHER),), "", "guests")
    await routes.stop()


async def test_stopping_waits_for_what_has_begun_and_begins_nothing_more(routes, network):
    network.may_go_on.clear()
    routes.add(OUTSIDE)
    await idle(network.begun.is_set)
    routes.add(OTHER)
    stopping = asyncio.create_task(routes.stop())
    await asyncio.sleep(0.02)
    assert not stopping.done()
    network.may_go_on.set()
    await stopping
    routes.remove(OUTSIDE)
    await asyncio.sleep(0.02)
    assert network.done == [f"add {OUTSIDE}/32"]


async def test_a_gateway_without_a_host_has_none():
    routes = no_routes()
    routes.add(OUTSIDE)
    await routes.stop()


async def test_forwarding_that_was_switched_off_is_on_again_and_told(network, told):
    heard = asyncio.Queue()
    routes = ClientRoutes(network, PLAN, lambda event, _context: heard.put_nowait(event))
    network.off = ["net/ipv4/ip_forward = 1"]
    routes.host_changed("forwarding changed")
    fact = await asyncio.wait_for(heard.get(), 60)
    await routes.stop()
    assert (fact.name, fact.restored) == ("FORWARDING_LOST", True)


async def test_routes_that_went_with_the_interface_are_made_again_and_told(network):
    told = asyncio.Queue()
    routes = ClientRoutes(network, PLAN, lambda event, _context: told.put_nowait(event))
    network.lost = ["route 10.77.0.0/24 dev hf0"]
    for _ in range(2):
        routes.host_changed("links changed")
    fact = await asyncio.wait_for(told.get(), 60)
    await routes.stop()
    assert told.empty()
    assert "made again: route 10.77.0.0/24 dev hf0" in fact.detail
