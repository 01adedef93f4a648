"""Sockets for a RADIUS exchange, one for each lane: UDP, connected, so that only its server is heard; or TLS."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from holdfast.alarm import Alarm
from holdfast.events import Event
from holdfast.gateway.radius_tls import TlsLane, TlsWay
from holdfast.machine import Entropy
from holdfast.radius.exchange import NOBODY, RadiusExchange
from holdfast.radius.exchange_types import Datagram, ExchangeConfig, Outcome, Request, Sent, ServerConfig
from holdfast.radius.watchdog import Lane

Address = tuple[str, int]
Hold = Callable[[Sent, Callable[[], None]], None]
"""Is told of a datagram before it leaves, and lets it leave with the second argument: at once, later or never."""


class RadiusClient:
    """Drives one `RadiusExchange` on the running event loop."""

    def __init__(
        self,
        servers: dict[Address, ServerConfig],
        config: ExchangeConfig,
        entropy: Entropy,
        report: Callable[[Event], None],
        tls: Mapping[Address, TlsWay] = MappingProxyType({}),
    ) -> None:
        """`tls`: which of the servers are spoken to over TLS, and how."""
        self._loop = asyncio.get_running_loop()
        self._addresses = list(servers)
        self._exchange = RadiusExchange(servers.values(), config, entropy)
        self._names = [server.name for server in servers.values()]
        self._report = report
        self._holds: dict[int, Hold] = {}
        self._alarm = Alarm(self._loop, self._timer_due)
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._lanes: dict[Lane, _UdpLane | TlsLane] = {}
        self._closed = False
        self._tls = tls

    async def ask(self, request: Request, before: Sent | None = None, hold: Hold | None = None) -> Outcome:
        """Return what becomes of a request; it ends within its patience. Cancelling forgets it.

        `before`: how it went out already, perhaps from a process that was killed. `hold`: who lets its datagrams go.
        """
        if before is not None and before.server in self._names:
            with contextlib.suppress(OSError):
                self._open_lane((self._names.index(before.server), 0), before.port)
        token = self._exchange.ask(request, self._loop.time(), before)
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._waiting[token] = future
        if hold is not None:
            self._holds[token] = hold
        self._drive()
        try:
            return await future
        finally:
            self._waiting.pop(token, None)
            self._holds.pop(token, None)
            self._exchange.cancel(token)

    def close(self) -> None:
        """Close the sockets; whoever waits is told that nobody answers."""
        self._alarm.cancel()
        self._closed = True
        for lane in self._lanes.values():
            lane.close()
        for future in self._waiting.values():
            future.cancel()

    def silent(self) -> bool:
        """Whether every server is left alone at the moment, because it said nothing lately."""
        return self._exchange.silent(self._loop.time())

    def state(self) -> list[dict[str, Any]]:
        """Return how each server is, as plain data."""
        return self._exchange.state()

    # --- inside --------------------------------------------------------------------------------------------

    def received(self, server: int, lane: int, octets: bytes) -> None:
        """Something came on a lane."""
        self._exchange.receive(server, lane, octets, self._loop.time())
        self._drive()

    def unreachable(self, server: int, error: OSError) -> None:
        """The host says that nobody listens there, or that it has no way to send anything."""
        gone = isinstance(error, ConnectionRefusedError)
        why = NOBODY if gone else f"this host cannot send to it: {os.strerror(error.errno or 0)}"
        self._exchange.unreachable(server, self._loop.time(), why)
        self._drive()

    def connected(self, server: int, lane: int) -> None:
        """A connection is there."""
        self._exchange.connected(server, lane, self._loop.time())
        self._drive()

    def disconnected(self, server: int, lane: int, why: str, *, was_open: bool) -> None:
        """A connection is gone, or never came."""
        self._exchange.disconnected(server, lane, self._loop.time(), why, was_open=was_open)
        self._drive()

    def _timer_due(self) -> None:
        self._exchange.handle_timer(self._loop.time())
        self._drive()

    def _drive(self) -> None:
        for datagram in self._exchange.outgoing():
            self._send(datagram)
        for outcome in self._exchange.outcomes():
            future = self._waiting.get(outcome.token)
            if future is not None and not future.done():
                future.set_result(outcome)
        for event in self._exchange.events():
            self._report(event)
        for lane in self._exchange.closing():
            self._reset(lane)
        self._alarm.arm(self._exchange.deadline)

    def _send(self, datagram: Datagram, *, again: bool = False) -> None:
        """Let a datagram leave, or give it to who holds it."""
        try:
            lane = self._open_lane((datagram.server, datagram.lane))
        except OSError as error:
            self._loop.call_soon(self.unreachable, datagram.server, error)
            return
        hold = self._holds.get(datagram.token)
        if hold is None:
            self._let_go(datagram, lane, again=again)
        else:
            sent = Sent(self._names[datagram.server], lane.port, datagram.octets)
            hold(sent, lambda: self._let_go(datagram, lane, again=again))

    def _let_go(self, datagram: Datagram, lane: "_UdpLane | TlsLane", *, again: bool) -> None:
        """A socket that cannot send any more gives way to a new one: it is bound to an address that this host may have
        lost. A datagram that was held until nobody waits for its answer any more stays here."""
        key = (datagram.server, datagram.lane)
        if self._closed or not self._exchange.awaits(datagram.token):
            return
        if self._lanes.get(key) is lane:
            refusal = lane.send(datagram.octets)
            if refusal is None:
                return
            self._lanes.pop(key).close()
            if again:
                self._loop.call_soon(self.unreachable, datagram.server, refusal)
                return
        self._send(datagram, again=True)

    def _reset(self, key: Lane) -> None:
        lane = self._lanes.get(key)
        if isinstance(lane, TlsLane):
            lane.reset()

    def _open_lane(self, key: Lane, port: int = 0) -> "_UdpLane | TlsLane":
        """Return the lane, opened if it was not. OSError when the host has no way to the server."""
        if key not in self._lanes:
            address = self._addresses[key[0]]
            way = self._tls.get(address)
            self._lanes[key] = (
                _UdpLane(self, *key, _connected(address, port)) if way is None else TlsLane(self, key, address, way)
            )
        return self._lanes[key]


def _connected(address: Address, port: int) -> socket.socket:
    """Return a socket towards a server, from `port` if that is free. OSError when there is no route."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if port:
            with contextlib.suppress(OSError):
                opened.bind(("", port))
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened


class _UdpLane(asyncio.DatagramProtocol):
    """One socket. What is sent before the loop looks after it waits; that takes a turn of the loop."""

    def __init__(self, client: RadiusClient, server: int, lane: int, opened: socket.socket) -> None:
        self._client, self._server, self._lane = client, server, lane
        self._transport: asyncio.DatagramTransport | None = None
        self._socket, self.port = opened, int(opened.getsockname()[1])
        self._early: list[bytes] = []
        self._sending = False
        self._refusal: OSError | None = None
        loop = asyncio.get_running_loop()
        self._opening = loop.create_task(self._open(loop))

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        await loop.create_datagram_endpoint(lambda: self, sock=self._socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        for octets in self._early:
            self._transport.sendto(octets)
        self._early.clear()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the socket is connected
        """The server sent something."""
        self._client.received(self._server, self._lane, data)

    def error_received(self, exc: Exception) -> None:
        """The host says that nobody listens there (ICMP), or that there is no way."""
        self._refusal = exc if isinstance(exc, OSError) else OSError(errno.EIO, str(exc))
        if not self._sending:
            self._client.unreachable(self._server, self._refusal)

    def send(self, octets: bytes) -> OSError | None:
        """Send a datagram; return why the host refuses, for another reason than that nobody listened there before."""
        if self._transport is None:
            if self._opening.done():  # and nothing came of it: the host has no room for one socket more
                failure = self._opening.exception()
                return failure if isinstance(failure, OSError) else OSError(errno.EIO, "no socket")
            self._early.append(octets)
            return None
        for _ in range(2):  # the first may fail for what an earlier one met (ICMP), which says nothing of this one
            self._sending, self._refusal = True, None
            self._transport.sendto(octets)
            self._sending = False
            if self._refusal is None:
                return None
        return self._refusal

    def close(self) -> None:
        """Close the socket."""
        self._opening.cancel()
        if self._transport is not None:
            self._transport.close()
        else:
            self._socket.close()
