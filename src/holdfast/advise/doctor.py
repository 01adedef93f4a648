"""The doctor's lists: which checks a role has, in the order in which people should read them. Pure."""

from collections.abc import Iterator
from enum import StrEnum

from holdfast.advise import client_checks, forwarding_checks, kernel_checks, own_table, path_checks
from holdfast.advise.check import Check, fault
from holdfast.advise.facts import HostFacts
from holdfast.advise.reach import Reach


class HostRole(StrEnum):
    """What the host is for PPTP."""

    SERVER = "server"
    CLIENT = "client"
    NAT_ROUTER = "nat-router"


def examine_server(facts: HostFacts) -> Iterator[Check]:
    """Kernel, port, forwarding, firewall, NAT, helper, MTU, logs."""
    yield from kernel_checks.listener(facts)
    yield from kernel_checks.kernel(facts)
    yield from forwarding_checks.forwarding(facts)
    yield from forwarding_checks.doors(facts)
    yield from forwarding_checks.through(facts)
    yield from forwarding_checks.translation(facts)
    yield from own_table.own_table(facts)
    yield path_checks.helper_of_server(facts)
    yield from _shared(facts, forwards=True)


def examine_router(facts: HostFacts) -> Iterator[Check]:
    """Forwarding, firewall, helper with its rule, MTU, logs."""
    yield from forwarding_checks.forwarding(facts)
    yield from forwarding_checks.router_doors(facts)
    yield from path_checks.router_nat(facts)
    yield from path_checks.helper_of_router(facts)
    yield from _shared(facts, forwards=True)


def examine_client(facts: HostFacts, server: str, reach: Reach | None, *, called: bool = True) -> Iterator[Check]:
    """Kernel, route, own firewall, the try at the server (None: its name was not found), NAT, MTU."""
    yield from client_checks.client_kernel(facts)
    if reach is None:
        yield fault("server-name", "The server's name has no IPv4 address.", server, f"getent ahostsv4 {server}")
        return
    yield client_checks.route(facts, str(reach.server))
    yield from forwarding_checks.client_doors(facts, reach.server)
    yield from client_checks.control(reach)
    yield from client_checks.gre(facts, reach, wanted=called)
    yield client_checks.nat_passthrough(facts, reach)
    yield from client_checks.own_nat(facts)
    yield from client_checks.path_mtu(facts, reach)
    yield from path_checks.sizes(facts, forwards=False)


def _shared(facts: HostFacts, *, forwards: bool) -> Iterator[Check]:
    yield from path_checks.timeouts(facts)
    yield from path_checks.table_room(facts)
    yield from path_checks.sizes(facts, forwards=forwards)
    yield from path_checks.logs(facts)
