"""What runs beside a tunnel: its first answer, and once the host is set up the server's routes, heartbeat, probes and
the path's size."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address

from holdfast.dialer.dns import usable
from holdfast.dialer.host_side import HostSide, Surroundings
from holdfast.dialer.inner import InnerSocket
from holdfast.dialer.name_keeper import NameKeeper
from holdfast.dialer.outcome import Up
from holdfast.dialer.path_mtu import PathMtu, measure
from holdfast.dialer.path_search import IDENTIFIERS
from holdfast.dialer.phases import Phase
from holdfast.dialer.settings import KeepaliveSettings, RouteMode, TunnelSettings
from holdfast.dialer.tunnel import Tunnel
from holdfast.errors import DisconnectReason, HostError
from holdfast.events import DialNoticed, Event, HostChanged
from holdfast.probe.cadence import Cadence
from holdfast.probe.place import Place
from holdfast.probe.runner import ProbeRunner

FIRST_PAUSES = (0.02,) * 30 + (0.05,) * 10 + (0.1,) * 10 + (0.25,) * 4 + (1.0,) * 10
"""Seconds between the first pings: the server's side is up a moment after ours. pppd drops what comes before its script
ip-pre-up has ended (pppd(8)), some tens of milliseconds to half a second; a tenth of what was waited may be lost."""
FIRST_PATIENCE = 1.0
"""Seconds that the first measurement of the path waits for the first answer at most."""


class Beside:
    """The companions of one tunnel. `run` until the tunnel is down, then cancel it."""

    def __init__(
        self,
        settings: TunnelSettings,
        tunnel: Tunnel,
        up: Up,
        surroundings: Surroundings,
        host: HostSide,
        *,
        server: IPv4Address,
        tell: Callable[[Event], None],
        resized: Callable[[int], None],
        cadences: Sequence[Cadence] = (),
    ) -> None:
        """`resized` hears of an MTU that the tunnel has from now on; `cadences` are those of its probes."""
        self.path: PathMtu | None = None
        self._settings, self._tunnel, self._up = settings, tunnel, up
        self._surroundings, self._host, self._server = surroundings, host, server
        self._tell, self._resized = tell, resized
        self._mtu = up.mtu
        self._measure_now, self._quiet, self._host_ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        place = Place(settings.interface, up.local, tuple(map(str, usable(up.dns))), str(server))
        self.probes = ProbeRunner(cadences, place, tell=tell, redial=self._redial)

    async def run(self) -> None:
        """Do all of it, side by side. The interface must have its address."""
        await asyncio.gather(self._ask_inside(), self._run_when_ready())

    async def _run_when_ready(self) -> None:
        await self._host_ready.wait()
        await asyncio.gather(self._mind_the_path(), self.probes.run(), self._mind_names())

    def host_is_ready(self) -> None:
        """The host is set up: until then nothing is asked but for the first answer, and that is not told."""
        self._host_ready.set()

    def network_changed(self, surroundings: Surroundings) -> None:
        """The tunnel stays, over another path: what that carries is not known."""
        self._surroundings = surroundings
        self._measure_now.set()

    # --- inside the tunnel ---------------------------------------------------------------------------------

    async def _ask_inside(self) -> None:
        try:
            inner = InnerSocket(self._settings.interface, IPv4Address(self._up.local), self._tunnel.inject)
        except OSError as error:
            self._tell(DialNoticed(f"nothing can be asked inside the tunnel: {error.strerror}"))
            self._quiet.set()
            return
        try:
            await asyncio.gather(self._first_answer(inner), self._learn_routes(inner), self._heartbeat(inner))
        finally:
            inner.close()

    async def _first_answer(self, inner: InnerSocket) -> None:
        target = self._settings.keepalive.heartbeat or self._up.peer
        took = await inner.first_answer(IPv4Address(target), FIRST_PAUSES) if target else None
        await self._host_ready.wait()
        if took is not None:
            self._tunnel.watch.reached(Phase.TRAFFIC, f"{target} answered a ping in {took * 1000:.1f} ms")
        self._quiet.set()

    async def _learn_routes(self, inner: InnerSocket) -> None:
        wanted = self._settings.routes
        if wanted.mode is not RouteMode.SPLIT or wanted.selective or not wanted.ask_server:
            return
        await self._host_ready.wait()
        answer = await inner.ask_routes()
        if answer is None or not self._tunnel.connected:
            return
        try:
            done, refused = await self._host.more(answer, self._up, self._surroundings)
        except HostError as error:
            self._tell(DialNoticed(f"the server's routes are not taken: {error.sentence()}"))
            return
        self._note_host(done)
        for sentence in refused:
            self._tell(DialNoticed(sentence))

    async def _heartbeat(self, inner: InnerSocket) -> None:
        keepalive = self._settings.keepalive
        if not keepalive.heartbeat:
            return
        await self._host_ready.wait()
        missed, heard = 0, self._packets_in()
        while missed < keepalive.heartbeat_failures:
            await asyncio.sleep(keepalive.heartbeat_interval)
            # What arrives by itself says as much as an answer would.
            alive = (keepalive.adaptive and self._packets_in() > heard) or await self._beat(inner, keepalive)
            missed, heard = 0 if alive else missed + 1, self._packets_in()
        what = f"datagrams to port {keepalive.heartbeat_port} of" if keepalive.heartbeat_port else "pings to"
        await self._redial(f"{missed} {what} {keepalive.heartbeat} in the tunnel were not answered")

    async def _redial(self, evidence: str) -> None:
        """Give the tunnel up: what is behind it does not answer."""
        await self._tunnel.close(DisconnectReason.ECHO_TIMEOUT, evidence, patience=1.0)

    def _packets_in(self) -> int:
        return self._tunnel.current_counters().packets_in

    async def _beat(self, inner: InnerSocket, keepalive: KeepaliveSettings) -> bool:
        host, patience = IPv4Address(keepalive.heartbeat), min(5.0, keepalive.heartbeat_interval)
        if keepalive.heartbeat_port:
            return await inner.knock(host, keepalive.heartbeat_port, patience) is not None
        return await inner.ping(host, patience) is not None

    async def _mind_names(self) -> None:
        if self._host.told_resolved:
            await NameKeeper(self._host, self._tell).run()

    # --- the path outside ----------------------------------------------------------------------------------

    async def _mind_the_path(self) -> None:
        """Measure now, after changes of the network, and from time to time: paths change without a word."""
        pause = self._settings.link.path_interval
        # Big echoes in front of the first ping would make it wait behind their answers, at a slow server for long.
        await _wait(self._quiet, FIRST_PATIENCE)
        while pause:
            await self._measure()
            await _wait(self._measure_now, pause)

    async def _measure(self) -> None:
        """Adopt what passes: never more than LCP agreed, nor than the interface to the server has room for."""
        largest = min(self._tunnel.call.mtu, self._surroundings.mtu)
        found = await measure(
            self._tunnel,
            self._server,
            largest,
            encrypted=bool(self._up.encryption),
            identifier=secrets.randbelow(IDENTIFIERS),
        )
        if self.path is None or (found.mtu, found.both_ways) != (self.path.mtu, self.path.both_ways):
            self._tell(found.event)
        self.path = found
        await self._adopt(found.mtu)

    async def _adopt(self, mtu: int) -> None:
        if mtu == self._mtu:
            return
        self._tunnel.call.limit(mtu)
        try:
            self._note_host(await self._host.resize(mtu))
        except HostError as error:
            self._tell(DialNoticed(error.sentence()))
            return
        self._mtu = mtu
        self._resized(mtu)

    def _note_host(self, done: Sequence[str]) -> None:
        if done:
            self._tell(HostChanged("; ".join(done), undone=False))


async def _wait(event: asyncio.Event, patience: float) -> None:
    """Wait for the event or for so many seconds, whatever comes first, and clear it."""
    try:
        async with asyncio.timeout(patience):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
