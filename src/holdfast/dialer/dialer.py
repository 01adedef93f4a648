"""One tunnel that stays up: tries, host set-up, watching, hooks, and trying again."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from ipaddress import IPv4Address, ip_address
from typing import Any

from holdfast.dataplane.interface import Counters, PacketEngine
from holdfast.dialer import hooks
from holdfast.dialer.beside import Beside
from holdfast.dialer.carrier_path import CarrierPath, same_way
from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.host_side import HostSide, Surroundings
from holdfast.dialer.outcome import Down, TunnelDownError, Up
from holdfast.dialer.phases import Phase as Step_
from holdfast.dialer.phases import Step
from holdfast.dialer.reconnect import Dial, ExitCode, GiveUp, Phase, Reconnect
from holdfast.dialer.settings import TunnelSettings
from holdfast.dialer.tunnel import Tunnel
from holdfast.errors import DisconnectReason, HostError
from holdfast.events import CarrierChanged, DialNoticed, DialPhaseReached, Event, HostChanged, InternalFault
from holdfast.network.table_keeper import kept
from holdfast.probe.cadence import Cadence
from holdfast.probe.outcome import described
from holdfast.secret import Secret

Report = Callable[[Event, Mapping[str, Any]], None]
"""Takes a fact and its envelope."""


class Dialer:
    """Keeps one tunnel up until it is told to stop or there is no point any more. Run it once."""

    def __init__(
        self,
        settings: TunnelSettings,
        password: Secret,
        engine: PacketEngine,
        host: HostSide,
        *,
        report: Report,
        listener: Callable[["Dialer", Step], None] = lambda _dialer, _step: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.settings = settings
        self.reconnect = Reconnect(settings.reconnect, secrets.token_bytes)
        self.up: Up | None = None
        self.last_down: Down | None = None
        self.steps: list[Step] = []
        self.since = self._loop.time()
        self.message = ""
        self._password, self._host, self._report, self._listener = password, host, report, listener
        self._port = EnginePort(engine, secrets.randbelow(0xFFFF), self._engine_broke)
        self._tunnel: Tunnel | None = None
        self._surroundings: Surroundings | None = None
        self._servers: list[IPv4Address] = []
        self._server = IPv4Address(0)
        self._wake = asyncio.Event()
        self._moved = False
        self._ever_up = False
        self._looking: asyncio.Task[None] | None = None
        self._news: list[str] = []
        self._hooking: asyncio.Task[None] | None = None
        self._beside: Beside | None = None
        self._minding: asyncio.Task[None] | None = None
        self._cadences = [Cadence(probe, secrets.token_bytes) for probe in settings.probes]

    # --- verbs ---------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Dial until stopped; return the exit code. HostError when this host makes it impossible from the start."""
        try:
            async with kept(self._host.restore_tables, self._tell):
                if self.settings.kill_switch:
                    await self._arm()
                self.reconnect.start(self._loop.time())
                return await self._follow()
        finally:
            if self._looking is not None:
                self._looking.cancel()
            self._port.close()
            self._note_host(await self._host.end(), undone=True)
            await self._hooks_done()

    def stop(self, message: str) -> None:
        """Leave politely: `run` returns soon."""
        self.reconnect.stop(message)
        self._wake.set()

    def _engine_broke(self, why: str) -> None:
        """No packet passes any more: end, not for ever, so that the service manager starts a new process."""
        message = f"the packet engine broke: {why}"
        self._tell(InternalFault("engine", message))
        self.reconnect.stop(message, ExitCode.GAVE_UP)
        self._wake.set()

    def network_changed(self, detail: str) -> None:
        """Something about the host's network changed: look whether it concerns this tunnel."""
        self._news.append(detail)
        if self._looking is None or self._looking.done():
            self._looking = self._loop.create_task(self._look_at_news())

    def status(self) -> dict[str, Any]:
        """Return how the tunnel is, as plain data."""
        now = self._loop.time()
        deadline = self.reconnect.deadline
        path = None if self._beside is None else self._beside.path
        return {
            "name": self.settings.name,
            "server": self.settings.host,
            "address": str(self._server) if self._servers else "",
            "user": self.settings.user,
            "interface": self.settings.interface,
            "state": str(self.reconnect.phase),
            "seconds_in_state": round(now - self.since, 1),
            "tries": self.reconnect.tries,
            "next_try_in": None if deadline is None else round(max(0.0, deadline - now), 1),
            "phases": [{"phase": str(s.phase), "milliseconds": s.milliseconds, "detail": s.detail} for s in self.steps],
            "up": None if self.up is None else asdict(self.up),
            "path": None if path is None else asdict(path),
            "last_end": None if self.last_down is None else asdict(self.last_down),
            "counters": None if self._tunnel is None else asdict(self._tunnel.current_counters()),
            "probes": [cadence.status(now) for cadence in self._cadences],
        }

    async def probe(self) -> list[dict[str, Any]]:
        """Run every probe of this tunnel now; return what they are and how they turned out, as plain data.

        HostError when the tunnel is not up.
        """
        beside = self._beside
        if beside is None:
            fix = "`holdfast dial status` says how it is"
            raise HostError("the tunnel is not up: nothing can be asked through it", where=self.settings.name, fix=fix)
        outcomes = await beside.probes.once()
        return [{**described(c.probe), **o.plain()} for c, o in zip(self._cadences, outcomes, strict=True)]

    def totals(self) -> Counters:
        """Return what the engine has counted for this tunnel, ended sessions included."""
        return self._port.engine.totals()

    # --- the life of it ------------------------------------------------------------------------------------

    async def _follow(self) -> int:
        while True:
            self._tell_plans()
            for command in self.reconnect.commands():
                if isinstance(command, GiveUp):
                    self.message = command.message
                    return command.exit_code
                await self._try(command)
            if self.reconnect.phase is Phase.WAITING:
                await self._wait()

    async def _arm(self) -> None:
        """Find the server before the kill switch closes the way to name servers, too."""
        try:
            self._servers = await self._resolve(self.settings.host)
        except TunnelDownError as error:
            self._servers = await self._host.remembered()
            fix = "give the server's address instead of its name, or try again when the network is there"
            if not self._servers:
                raise HostError(f"{error.what}, and the kill switch would keep it so", where="DNS", fix=fix) from error
            self._tell(DialNoticed(f"{error.what}; the kill switch still knows the addresses of the last time"))
        self._note_host(await self._host.guard(self._servers))

    async def _wait(self) -> None:
        deadline = self.reconnect.deadline
        if deadline is not None:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._wake.wait()
        self.reconnect.handle_timer(self._loop.time())

    async def _try(self, dial: Dial) -> None:
        self.steps, self._moved = [], False
        self.since = self._loop.time()
        self._wake.clear()
        attempt = self._loop.create_task(self._attempt(dial))
        while not attempt.done():
            woken = self._loop.create_task(self._wake.wait())
            await asyncio.wait({attempt, woken}, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            self._wake.clear()
            if self.reconnect.phase is Phase.STOPPED and not attempt.done():
                await self._leave(attempt)
        down = attempt.result()
        self.last_down, self.since = down, self._loop.time()
        self.reconnect.ended(
            down.reason,
            down.evidence,
            self._loop.time(),
            server_answers=down.server_answers,
            network_moved=self._moved,
        )
        self._tell_plans()

    async def _leave(self, attempt: "asyncio.Task[Down]") -> None:
        tunnel = self._tunnel
        if tunnel is None or not tunnel.connected:
            attempt.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await attempt
            return
        await tunnel.close(DisconnectReason.USER_REQUEST, "told to stop")
        await asyncio.wait({attempt})

    async def _attempt(self, dial: Dial) -> Down:
        """Try once, and stay until the tunnel is down; everything of this try is taken back by then."""
        try:
            await self._find_servers(dial)
            return await self._dial_each()
        except TunnelDownError as error:
            return error.down
        except HostError as error:
            if not self._ever_up:
                self.reconnect.stop(error.sentence(), ExitCode.HOPELESS)
            return Down(DisconnectReason.INTERNAL_ERROR, error.sentence())
        except asyncio.CancelledError:
            return Down(DisconnectReason.USER_REQUEST, "told to stop")

    async def _dial_each(self) -> Down:
        """Try the server's addresses in turn; only one that cannot be reached leads to the next."""
        for index, server in enumerate(self._servers):
            try:
                return await self._dial_one(server)
            except TunnelDownError as error:
                reached = any(step.phase is Step_.TCP for step in self.steps)
                if reached or index + 1 == len(self._servers):
                    raise
                self._tell(DialNoticed(f"{server}: {error.what}; trying the next address"))
        raise AssertionError("a name has at least one address")

    async def _dial_one(self, server: IPv4Address) -> Down:
        self._server = server
        surroundings = self._surroundings = await self._host.look(server)
        link = self.settings.link
        fitting = replace(link, mtu=min(link.mtu, surroundings.mtu), mru=min(link.mru, surroundings.mtu))
        tunnel = self._tunnel = Tunnel(
            replace(self.settings, link=fitting),
            self._password,
            self._port,
            report=self._report,
            judge=self._host.judge(surroundings, server),
            listener=self._reached,
        )
        try:
            return await self._stay(tunnel, await tunnel.connect(str(server)), surroundings)
        finally:
            self.up = None
            await self._come_down(tunnel)

    async def _stay(self, tunnel: Tunnel, up: Up, surroundings: Surroundings) -> Down:
        try:
            beside = await self._set_up(tunnel, up, surroundings)
        except HostError as error:
            await tunnel.close(DisconnectReason.INTERNAL_ERROR, error.what)
            raise
        self.up, self._ever_up, self.since = up, True, self._loop.time()
        self.reconnect.up(self._loop.time())
        self._beside = beside
        beside.host_is_ready()
        self._call_hooks("up")
        down = await tunnel.wait_down()
        self.last_down = down
        return down

    async def _set_up(self, tunnel: Tunnel, up: Up, surroundings: Surroundings) -> Beside:
        """Set the host up, while the server is already asked for its first answer."""
        first = await self._host.address(up, self._server, surroundings)
        beside = Beside(
            self.settings,
            tunnel,
            up,
            surroundings,
            self._host,
            server=self._server,
            tell=self._tell,
            resized=self._resized,
            cadences=self._cadences,
        )
        self._minding = self._loop.create_task(beside.run())
        rest, why = await self._host.up(up, self._server, surroundings)
        self._note_host([*first, *rest])
        for sentence in why:
            self._tell(DialNoticed(sentence))
        tunnel.watch.reached(Step_.HOST, f"{len(first) + len(rest)} changes")
        return beside

    async def _come_down(self, tunnel: Tunnel) -> None:
        """Give back what the try held, whatever became of it."""
        if self._minding is not None:
            self._minding.cancel()
        self._beside = self._minding = None
        if tunnel.connected:
            tunnel.abort(DisconnectReason.INTERNAL_ERROR, "the try was given up")
        was_up = any(step.phase is Step_.HOST for step in self.steps)
        try:
            self._note_host(await self._host.down(), undone=True)
        except HostError as error:
            self._tell(DialNoticed(error.sentence()))
        if was_up:
            self._call_hooks("down")

    # --- the server's name ---------------------------------------------------------------------------------

    async def _find_servers(self, dial: Dial) -> None:
        began = self._loop.time()
        try:
            self._servers = await self._resolve(self.settings.host)
        except TunnelDownError as error:
            if not self._servers:
                raise
            self._tell(DialNoticed(f"{error.what}; the addresses of the last time are tried"))
        await self._host.allow(self._servers)
        took = round((self._loop.time() - began) * 1000, 1)
        self._reached(Step(Step_.NAME, took, ", ".join(map(str, self._servers)) + f" (try {dial.number})"))

    async def _resolve(self, host: str) -> list[IPv4Address]:
        with contextlib.suppress(ValueError):
            literal = ip_address(host)
            if isinstance(literal, IPv4Address):
                return [literal]
            fix = "give the server's IPv4 address, or its name"
            raise HostError("PPTP runs over IPv4, and this is an IPv6 address", where=host, fix=fix)
        try:
            async with asyncio.timeout(self.settings.connect_timeout):
                found = await self._loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise _unnamed(host, f"no answer within {self.settings.connect_timeout:g} s") from None
        except (OSError, UnicodeError) as error:
            raise _unnamed(host, getattr(error, "strerror", None) or "it is no name") from error
        return list(dict.fromkeys(IPv4Address(entry[4][0]) for entry in found))

    # --- hooks ---------------------------------------------------------------------------------------------

    def _call_hooks(self, event: str) -> None:
        """Run the hooks in the order of the events, without holding the tunnel up."""
        if self.settings.hooks:
            before, facts = self._hooking, self._facts()
            self._hooking = self._loop.create_task(self._run_hooks(before, event, facts))

    async def _run_hooks(self, before: "asyncio.Task[None] | None", event: str, facts: dict[str, object]) -> None:
        if before is not None:
            await before
        for complaint in await hooks.run(self.settings.hooks, event, facts):
            self._tell(DialNoticed(complaint))

    async def _hooks_done(self) -> None:
        if self._hooking is not None:
            await self._hooking

    def _facts(self) -> dict[str, object]:
        facts: dict[str, object] = {
            "tunnel": self.settings.name,
            "interface": self.settings.interface,
            "server": self._server,
        }
        if self.up is not None:
            facts |= {"local": self.up.local, "peer": self.up.peer, "dns": self.up.dns, "mtu": self.up.mtu}
        if self.last_down is not None:
            facts |= {"reason": self.last_down.reason, "evidence": self.last_down.evidence}
        return facts

    # --- the network under it ------------------------------------------------------------------------------

    async def _look_at_news(self) -> None:
        """Look until there is no news: what came during a look may have come too late for it."""
        while self._news:
            news, self._news = dict.fromkeys(self._news), []
            await self._look_again("; ".join(news))

    async def _look_again(self, detail: str) -> None:
        """Judge a change of the network: nothing to do, probe, or dial at once."""
        before, tunnel, up = self._surroundings, self._tunnel, self.up
        if not self._servers or before is None:
            return
        try:
            now = await self._host.look(self._server)
            if up is None or tunnel is None:
                self._consider_waiting(before.path, now.path, detail)
                return
            if IPv4Address(up.outer_local) not in now.view.addresses:
                self._moved = True
                gone = f"our address {up.outer_local} is gone: {detail}"
                self._tell(CarrierChanged(gone))
                tunnel.abort(DisconnectReason.NETWORK_ERROR, gone)
                return
            self._note_host(await self._host.restore())
            await self._probe_if_touched(tunnel, before, now, detail)
        except HostError as error:
            self._tell(DialNoticed(error.sentence()))

    def _consider_waiting(self, before: CarrierPath, now: CarrierPath, detail: str) -> None:
        slept = "slept" in detail
        if now.route is not None and (slept or not same_way(before.route, now.route)):
            self._tell(CarrierChanged(f"the server is reached by {now}: {detail}"))
            self.reconnect.network_changed(self._loop.time())
            self._wake.set()

    async def _probe_if_touched(self, tunnel: Tunnel, before: Surroundings, now: Surroundings, detail: str) -> None:
        unpinned = not await self._host.pinned()
        moved = not same_way(before.path.route, now.path.route)
        if not (unpinned or moved or "slept" in detail):
            return
        self._tell(CarrierChanged(f"the server is reached by {now.path}, before by {before.path}: probing"))
        if unpinned:
            await self._host.repin(now.path)
        self._moved = True
        if await tunnel.probe():
            self._moved, self._surroundings = False, now
            self._tell(CarrierChanged("the tunnel still answers: it stays"))
            if self._beside is not None:
                self._beside.network_changed(now)
            self._call_hooks("change")

    def _resized(self, mtu: int) -> None:
        """The tunnel has another MTU from now on."""
        if self.up is not None:
            self.up = replace(self.up, mtu=mtu)
            self._call_hooks("change")

    def _tell_plans(self) -> None:
        for event in self.reconnect.events():
            self._tell(event)

    # --- telling -------------------------------------------------------------------------------------------

    def _reached(self, step: Step) -> None:
        self.steps.append(step)
        self._tell(DialPhaseReached(str(step.phase), step.milliseconds, step.detail))
        self._listener(self, step)

    def _note_host(self, done: list[str], *, undone: bool = False) -> None:
        if done:
            self._tell(HostChanged("; ".join(done), undone))

    def _tell(self, event: Event) -> None:
        self._report(event, {"tunnel": self.settings.name, "server_ip": str(self._server) if self._servers else ""})


def _unnamed(host: str, why: str) -> TunnelDownError:
    return TunnelDownError(Down(DisconnectReason.NETWORK_ERROR, f"the name {host} has no address: {why}"), host)
