"""What one tunnel does to its host, and takes back: kill switch, addresses, routes, name servers.

Everything here may block for some tens of milliseconds; the methods run it in a thread, one at a time.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import TypeVar

from holdfast.dataplane.interface import ENCRYPTED_OVERHEAD
from holdfast.dialer import dhcp, dns, ipv6_wall, kill_switch, routes
from holdfast.dialer.addresses import HostView, objection
from holdfast.dialer.carrier_path import CarrierPath, best_route
from holdfast.dialer.outcome import Up
from holdfast.dialer.settings import DnsMode, RouteMode, TunnelSettings
from holdfast.errors import HostError
from holdfast.network import resolved
from holdfast.network.changes import AddRoute, AddTable, Change, SetLink
from holdfast.network.host import HostNetwork
from holdfast.network.kernel import Kernel
from holdfast.network.netlink import Route
from holdfast.network.resolved import UseResolved
from holdfast.network.tables import Lost

T = TypeVar("T")
SMALLEST_MTU = 576


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The host as it was looked at before a try: what it has, how the server is reached, how big a packet may be."""

    view: HostView
    path: CarrierPath
    mtu: int


class HostSide:
    """The host side of one tunnel. HostError from any method says what the host refuses."""

    def __init__(self, settings: TunnelSettings, state_dir: Path, kernel: Kernel | None = None) -> None:
        self._settings = settings
        self._kernel = kernel or Kernel()
        self._network = HostNetwork(state_dir, kernel=self._kernel)
        self._lock = asyncio.Lock()
        self._guarded = False
        self._made: list[Change] = []
        self._pin: AddRoute | None = None
        self._inside: routes.Inside | None = None
        self._resized: SetLink | None = None

    async def recover(self) -> list[str]:
        """Undo what a killed predecessor left, but for its kill switch where one is wanted; return what was undone."""
        keep = [self._switch(())] if self._settings.kill_switch else []
        return await self._in_thread(lambda: self._network.recover(keep))

    async def remembered(self) -> list[IPv4Address]:
        """Return the servers that a kill switch taken over from a killed predecessor lets through."""
        if not self._network.holds(self._switch(())):
            return []
        family, table = kill_switch.FAMILY, kill_switch.table_name(self._settings.name)

        def work() -> list[str]:
            # Somebody may have flushed it while nobody was there to put it back.
            stands = self._kernel.nf_tables.has_table(family, table)
            return self._kernel.nft.set_elements(family, table, kill_switch.SERVERS) if stands else []

        return [IPv4Address(text) for text in await self._in_thread(work)]

    async def guard(self, servers: Sequence[IPv4Address]) -> list[str]:
        """Set the kill switch up, where one is wanted and none stands; return what was done."""
        if not self._settings.kill_switch:
            return []
        plan = self._switch(servers)
        taken_over = self._network.holds(plan)
        done = await self._in_thread(lambda: self._network.apply([plan]))
        if taken_over:  # its rules are those of a predecessor, who may have been told otherwise
            await self._in_thread(lambda: self._network.remake(plan))
        self._guarded = True
        await self.allow(servers)
        return done

    def _switch(self, servers: Sequence[IPv4Address]) -> AddTable:
        settings = self._settings
        networks = settings.kill_switch_networks
        return kill_switch.plan(settings.name, settings.interface, servers, settings.port, networks)

    async def allow(self, servers: Sequence[IPv4Address]) -> None:
        """Let the kill switch pass these servers too."""
        if self._guarded and servers:
            commands = kill_switch.allow_servers(self._settings.name, servers)
            await self._in_thread(lambda: self._network.filter(commands))

    async def look(self, server: IPv4Address) -> Surroundings:
        """Look at the host, the tunnel's own things left out."""

        def work() -> Surroundings:
            with self._kernel.netlink.session():
                return self._look(server)

        return await self._in_thread(work)

    def judge(self, surroundings: Surroundings, server: IPv4Address) -> Callable[[str, str], str]:
        """Return what decides whether assigned addresses can work here."""
        return lambda local, peer: objection(local, peer, server, surroundings.view)

    async def address(self, up: Up, server: IPv4Address, surroundings: Surroundings) -> list[str]:
        """Give the tunnel's interface its address, before anything that takes longer; return what was done."""
        changes, _why = routes.addressing(self._inside_of(up, server), surroundings.view)
        return await self._make(changes)

    async def up(self, up: Up, server: IPv4Address, surroundings: Surroundings) -> tuple[list[str], tuple[str, ...]]:
        """Set the tunnel up on the host, but for what stands already; return what was done and why it is so."""
        settings, inside = self._settings, self._inside_of(up, server)
        full = settings.routes.mode is RouteMode.FULL
        names = self._names(up.dns, full=full)
        plan = routes.plan(
            settings.routes,
            inside,
            surroundings.path.route,
            surroundings.view,
            servers=names.servers,
            ipv6=self._kernel.sysctl.read("net/ipv6/conf/all/disable_ipv6") == "0",
            wall=await self._in_thread(self._ipv6_wall),
        )
        done = await self._make(plan.changes)
        self._inside = inside
        self._pin = plan.pin if isinstance(plan.pin, AddRoute) else None
        told, why = await self._tell_names(names, self._names(up.dns, full=full, runs=False))
        return [*done, *told], (*plan.why, *why)

    def _names(self, offered: Sequence[str], *, full: bool, domain: str = "", runs: bool | None = None) -> dns.DnsPlan:
        """`runs`: whether systemd-resolved does; None: as its files say."""
        settings, runs = self._settings, dns.resolved_runs() if runs is None else runs
        return dns.plan(settings.dns, settings.interface, offered, domain=domain, full=full, resolved=runs)

    async def _tell_names(self, names: dns.DnsPlan, instead: dns.DnsPlan) -> tuple[list[str], tuple[str, ...]]:
        """Carry `names` out, or `instead` where it was for a systemd-resolved that is dead: its files tell of no death.

        Return what was done and why it is so. HostError when the host refuses.
        """
        try:
            return await self._make(names.changes), names.why
        except HostError as error:
            asked = any(isinstance(change, UseResolved) for change in names.changes)
            chosen = self._settings.dns.mode is not DnsMode.AUTO
            if not asked or chosen or await self._in_thread(resolved.answers):
                raise
            why = f"systemd-resolved has left its files here and does not answer ({error.what})"
        return await self._make(instead.changes), (why, *instead.why)

    async def restore(self) -> list[str]:
        """Make routes into the tunnel again that went when somebody took its interface down; return which."""
        interface = self._settings.interface
        return await self._in_thread(lambda: self._network.restore_routes(interface)) if self._made else []

    async def restore_tables(self) -> list[Lost]:
        """Put back what somebody took out of kill switch and IPv6 wall; return what that was."""
        return await self._in_thread(self._network.restore_tables)

    async def more(self, answer: dhcp.Answer, up: Up, surroundings: Surroundings) -> tuple[list[str], tuple[str, ...]]:
        """Add what the server's DHCP answer says; return what was done and what was refused."""
        settings = self._settings
        full = settings.routes.mode is RouteMode.FULL
        taken = tuple(IPv4Network(r.destination) for r in surroundings.view.routes if not r.gateway)
        accepted = dhcp.accept(answer, everything=full, taken=tuple(n for n in taken if n.prefixlen))
        wanted: list[Change] = []
        if settings.routes.mode is RouteMode.SPLIT:
            wanted += [AddRoute(Route(str(network), settings.interface)) for network in accepted.routes]
        done, said = await self._make(wanted), accepted.refused
        if answer.domain and not full:
            offered: Sequence[str] = up.dns or tuple(map(str, answer.dns))
            names, instead = (self._names(offered, full=False, domain=answer.domain, runs=r) for r in (None, False))
            told, why = await self._tell_names(names, instead)
            done, said = [*done, *told], (*said, *why) if names.changes and not told else said
        return done, said

    @property
    def told_resolved(self) -> bool:
        """Whether systemd-resolved was told the tunnel's name servers."""
        return self._resolved_change() is not None

    async def tell_resolved_again(self) -> list[str]:
        """Tell systemd-resolved once more what it lost; return what was done. HostError when it does not answer."""

        def work() -> list[str]:
            # Looked up here, where nothing else changes the host: a tunnel that came down meanwhile needs nothing.
            change = self._resolved_change()
            if change is None or change.stands():
                return []
            change.apply(self._kernel)
            return [str(change)]

        return await self._in_thread(work)

    def _resolved_change(self) -> UseResolved | None:
        """Return what it was told last: each telling takes the place of the one before."""
        return next((change for change in reversed(self._made) if isinstance(change, UseResolved)), None)

    async def resize(self, mtu: int) -> list[str]:
        """Give the tunnel's interface another MTU for as long as the tunnel is up; return what was done."""
        base = next((change for change in self._made if isinstance(change, SetLink)), None)
        if base is None:
            return []
        old, new = self._resized, replace(base, mtu=mtu)
        self._resized = new if new != base else None

        def work() -> list[str]:
            # The first setting stays in the journal below it: only that one brings the link down when it is undone.
            undone = [] if old is None else self._network.undo([old])
            return self._network.apply([new]) if new != base else undone

        return await self._in_thread(work)

    async def repin(self, path: CarrierPath) -> bool:
        """Put the pinned route back, or let it follow `path`; False where none is needed."""
        inside, old = self._inside, self._pin
        if inside is None or old is None:
            return False
        new = routes.pin_route(inside.server, path.route)
        if new is None:
            return False

        def work() -> None:
            self._network.undo([old])
            self._network.apply([new])

        await self._in_thread(work)
        self._made = [new if change == old else change for change in self._made]
        self._pin = new
        return True

    async def pinned(self) -> bool:
        """Whether the pinned route still stands, where there is one."""
        pin = self._pin
        return pin is None or await self._in_thread(lambda: self._kernel.netlink.has_route(pin.route))

    async def down(self) -> list[str]:
        """Take back what belongs to the tunnel; the kill switch stays."""

        def work() -> list[str]:
            made, self._made, self._pin, self._inside = self._made, [], None, None
            if self._resized is not None:
                made, self._resized = [*made, self._resized], None
            return self._network.undo(made)

        return await self._in_thread(work)

    async def end(self) -> list[str]:
        """Take back everything."""
        return await self._in_thread(self._network.rollback)

    def _ipv6_wall(self) -> Change | None:
        settings = self._settings
        if not self._kernel.nft.installed():
            return None
        found = self._kernel.netlink.routes(version=6)
        links, chosen = ipv6_wall.on_link(found, settings.interface), settings.routes
        return ipv6_wall.plan(settings.name, links, marks=chosen.marks, user_ids=chosen.user_ids)

    def _inside_of(self, up: Up, server: IPv4Address) -> routes.Inside:
        return routes.Inside(self._settings.interface, IPv4Address(up.local), up.peer, up.mtu, server)

    async def _make(self, changes: Sequence[Change]) -> list[str]:
        def work() -> list[str]:
            wanted = [change for change in changes if change not in self._made]
            done = self._network.apply(wanted) if wanted else []
            self._made += wanted
            return done

        return await self._in_thread(work)

    def _look(self, server: IPv4Address) -> Surroundings:
        netlink, mine = self._kernel.netlink, self._settings.interface
        found = netlink.routes()
        pins = [self._pin.route] if self._pin is not None else []
        route = best_route(found, server, pins, mine)
        held = [(name, IPv4Interface(text).ip) for name, text in netlink.addresses() if ":" not in text]
        view = HostView(
            tuple(address for name, address in held if name != mine),
            tuple(
                known for known in found if known.interface != mine and known not in pins and known.kind == "unicast"
            ),
        )
        link = netlink.link(route.interface) if route is not None else None
        chosen = netlink.route_to(str(server)) if route is None else None
        if chosen is not None and chosen.interface == "lo":
            route = chosen  # the server is this host itself
        source = route.source if route is not None else ""
        mtu = max(SMALLEST_MTU, link.mtu - ENCRYPTED_OVERHEAD) if link is not None else self._settings.link.mtu
        return Surroundings(view, CarrierPath(route, source), mtu)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._lock:
            working = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(working)
            finally:
                # Whoever is cancelled leaves a thread behind that cannot be stopped: until it has ended, nobody else
                # may change the host, or what it makes last would be taken back by nobody.
                await asyncio.wait({working})
