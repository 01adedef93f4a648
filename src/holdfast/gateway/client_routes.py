"""Routes to clients whose addresses lie outside the pools: made when one comes, taken back when it goes.

The pools are routed as a whole when the gateway starts; an address that is dedicated to a user may lie elsewhere.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from holdfast.errors import HostError
from holdfast.events import Event, InternalFault
from holdfast.network.changes import AddRoute
from holdfast.network.host import HostNetwork

Address = IPv4Address | IPv6Address


class ClientRoutes:
    """Changes routes one after the other in a thread, because kernel and disk take milliseconds for each."""

    def __init__(
        self,
        network: HostNetwork | None,
        route: Callable[[Address], AddRoute | None],
        report: Callable[[Event, Mapping[str, Any]], None],
    ) -> None:
        """`route` names the route that an address needs, None for none. What fails is told to `report`."""
        self._network, self._route, self._report = network, route, report
        self._waiting: deque[tuple[AddRoute, bool]] = deque()
        self._work: asyncio.Task[None] | None = None
        self._stopped = False

    def add(self, address: Address) -> None:
        """A client has this address from now on."""
        self._want(address, present=True)

    def remove(self, address: Address) -> None:
        """It has it no more."""
        self._want(address, present=False)

    async def stop(self) -> None:
        """Begin nothing more and wait for what has begun. What still stands, the network's rollback takes back."""
        self._stopped = True
        self._waiting.clear()
        if self._work is not None:
            await self._work

    def _want(self, address: Address, *, present: bool) -> None:
        route = self._route(address)
        if route is None or self._stopped:
            return
        self._waiting.append((route, present))
        if self._work is None:
            self._work = asyncio.create_task(self._work_off())

    async def _work_off(self) -> None:
        while self._waiting:
            route, present = self._waiting.popleft()
            try:
                await asyncio.to_thread(self._change, route, present)
            except HostError as error:
                self._report(InternalFault("network", error.text()), {})
        self._work = None

    def _change(self, route: AddRoute, present: bool) -> None:
        if self._network is None:
            return
        if present:
            self._network.apply([route])
        else:
            self._network.undo([route])


def no_routes() -> ClientRoutes:
    """Return what a gateway without a host uses."""
    return ClientRoutes(None, lambda _address: None, lambda _event, _context: None)
