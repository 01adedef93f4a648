"""What the host does for single clients: routes to addresses outside the pools and to networks behind clients, filters.

The pools are routed as a whole when the gateway starts, and the filters' rules stand from then on; here sessions come
and go.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from holdfast.errors import HostError, where_raised
from holdfast.events import Event, HostChanged, InternalFault
from holdfast.gateway.forwarding import Forwarding
from holdfast.network.changes import AddRoute
from holdfast.network.gateway import GatewayNetwork
from holdfast.network.host import HostNetwork
from holdfast.network.tables import Lost

Address = IPv4Address | IPv6Address


class ClientRoutes:
    """Changes one thing after the other in a thread, because kernel, `nft` and disk take milliseconds for each."""

    def __init__(
        self,
        network: HostNetwork | None,
        plan: GatewayNetwork | None,
        report: Callable[[Event, Mapping[str, Any]], None],
    ) -> None:
        """`plan` knows what a client needs. What fails, and nobody waits for, is told to `report`."""
        self._network, self._plan, self._report = network, plan, report
        self._forwarding = Forwarding(self._restore_forwarding)
        self._waiting: deque[tuple[Callable[[], object], asyncio.Future[Any] | None]] = deque()
        self._work: asyncio.Task[None] | None = None
        self._stopped = False

    def add(self, address: Address) -> None:
        """A client has this address from now on."""
        self._want(self._route(address), present=True)

    def remove(self, address: Address) -> None:
        """It has it no more."""
        self._want(self._route(address), present=False)

    def add_network(self, network: str) -> None:
        """This network lies behind a client from now on."""
        self._want(self._route_to(network), present=True)

    def remove_network(self, network: str) -> None:
        """It does no more."""
        self._want(self._route_to(network), present=False)

    async def refilter(self, addresses: Sequence[str], old: str, new: str) -> None:
        """Move what a client sends from, addresses and networks, from one filter to another; no name: none.

        HostError when the host refuses; nothing is changed then.
        """
        done = asyncio.get_running_loop().create_future()
        self._do(partial(self._refilter, tuple(addresses), old, new), done)
        await done

    def drop_filter(self, addresses: Sequence[str], old: str) -> None:
        """The client is gone."""
        self._do(partial(self._refilter, tuple(addresses), old, ""))

    async def restore_tables(self) -> list[Lost]:
        """Put back what somebody took out of the firewall, before anything else that waits; return what that was."""
        if self._network is None or self._stopped:
            return []
        done: asyncio.Future[list[Lost]] = asyncio.get_running_loop().create_future()
        self._do(self._network.restore_tables, done, first=True)
        return await done

    def host_changed(self, _detail: str) -> None:
        """Some interface of this host, or whether it forwards, is not as it was: see what went with it."""
        self._do(self._restore)
        self._do(self._forwarding.look)

    async def stop(self) -> None:
        """Begin nothing more and wait for what has begun. What still stands, the network's rollback takes back."""
        self._stopped = True
        for _, done in self._waiting:
            if done is not None:
                done.cancel()
        self._waiting.clear()
        if self._work is not None:
            await self._work

    def _route(self, address: Address) -> AddRoute | None:
        return None if self._plan is None else self._plan.client_route(address)

    def _route_to(self, network: str) -> AddRoute | None:
        return None if self._plan is None else self._plan.network_route(network)

    def _want(self, route: AddRoute | None, *, present: bool) -> None:
        if route is not None:
            self._do(partial(self._change, route, present))

    def _do(
        self, action: Callable[[], object], done: asyncio.Future[Any] | None = None, *, first: bool = False
    ) -> None:
        if self._network is None or self._stopped:
            if done is not None:
                done.set_result(None)
            return
        (self._waiting.appendleft if first else self._waiting.append)((action, done))
        if self._work is None:
            self._work = asyncio.create_task(self._work_off())

    async def _work_off(self) -> None:
        while self._waiting:
            action, done = self._waiting.popleft()
            try:
                fact = await asyncio.to_thread(action)
            except Exception as error:  # noqa: BLE001 - what comes behind it must be done all the same
                refusal = error if isinstance(error, HostError) else HostError(f"it failed: {where_raised(error)}")
                if done is None:
                    self._report(InternalFault("network", refusal.text()), {})
                elif not done.done():
                    done.set_exception(refusal)
            else:
                if isinstance(fact, Event):
                    self._report(fact, {})
                if done is not None and not done.done():
                    done.set_result(fact)
        self._work = None

    def _change(self, route: AddRoute, present: bool) -> None:
        if self._network is not None:
            (self._network.apply if present else self._network.undo)([route])

    def _restore(self) -> HostChanged | None:
        made = self._network.restore_routes(self._plan.tun) if self._network and self._plan else []
        detail = f"somebody took the interface down; made again: {'; '.join(made)}"
        return HostChanged(detail) if made else None

    def _restore_forwarding(self) -> list[str]:
        return self._network.restore_settings(self._plan.forwarding()) if self._network and self._plan else []

    def _refilter(self, addresses: Sequence[str], old: str, new: str) -> None:
        if self._network is not None and self._plan is not None:
            self._network.filter(self._plan.refilter(addresses, old, new))


def no_routes() -> ClientRoutes:
    """Return what a gateway without a host uses."""
    return ClientRoutes(None, None, lambda _event, _context: None)
