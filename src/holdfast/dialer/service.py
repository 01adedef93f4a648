"""One process for one or many tunnels: engines, logs, the control sockets, signals, systemd."""

import asyncio
import contextlib
import errno
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.dataplane.engine import Engine
from holdfast.dialer.dialer import Dialer
from holdfast.dialer.host_side import HostSide
from holdfast.dialer.metrics import DialMetrics, MetricsSettings
from holdfast.dialer.phases import Step
from holdfast.dialer.settings import TunnelSettings
from holdfast.errors import HoldfastError, HostError
from holdfast.events import DialNoticed, Event
from holdfast.local_api import SOCKET_NAME, ApiServer, request
from holdfast.network.host import HostNetwork
from holdfast.network.journal import HeldError
from holdfast.network.refusal import RIGHTS_FIX
from holdfast.network.watch import NetworkWatch
from holdfast.observe.event_log import EventLog
from holdfast.secret import Secret
from holdfast.systemd import notify

EVENT_LOG_NAME = "events.jsonl"
TUN_TRIES = 10
TUN_PAUSE = 0.1
"""A TUN name is free about 0.3 s after its last owner closed it."""

Listener = Callable[[Dialer, Step], None]
Observer = Callable[[Event, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tunnel and its password."""

    settings: TunnelSettings
    password: Secret


@dataclass(frozen=True, slots=True)
class View:
    """Who watches: `step` hears of each phase reached, `record` of each log record, `begun` of the dialers."""

    begun: Callable[[list[Dialer]], None] = lambda _dialers: None
    step: Listener = lambda _dialer, _step: None
    record: Callable[[dict[str, Any]], None] = lambda _record: None


def tunnel_dir(state: Path, name: str) -> Path:
    """Return where a tunnel keeps its journal, its control socket and its event log."""
    return state / "dial" / name


async def dial(
    wanted: Sequence[Wanted], state: Path, view: View | None = None, metrics: MetricsSettings | None = None
) -> int:
    """Keep tunnels up until SIGTERM or SIGINT, or until none can be; return the exit code (the worst of all).

    HoldfastError when it cannot begin; the host is as it was then.
    """
    watcher = view or View()
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        counted = DialMetrics([one.settings.name for one in wanted])
        observers = [counted.observe] if metrics is not None else []
        dialers = [await _prepare(stack, one, state, watcher, observers) for one in wanted]
        if metrics is not None:
            await counted.start(metrics, {dialer.settings.name: dialer for dialer in dialers})
            stack.push_async_callback(counted.stop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _stop_all, dialers, signal.Signals(number).name)
            stack.callback(loop.remove_signal_handler, number)
        watch = NetworkWatch(lambda detail: _tell_all(dialers, detail))
        stack.callback(watch.close)
        stack.callback(Watchdog(loop).close)
        watcher.begun(dialers)
        notify("READY=1")
        codes = await _run_all(dialers)
        notify("STOPPING=1")
    return max(codes)


async def _run_all(dialers: Sequence[Dialer]) -> list[int]:
    """Run them side by side. One that cannot begin stops the others politely, and then says why."""
    tasks = [asyncio.ensure_future(dialer.run()) for dialer in dialers]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    if any(task.done() and task.exception() for task in tasks):
        _stop_all(dialers, "another tunnel failed")
        await asyncio.wait(tasks)
    return [task.result() for task in tasks]


def _stop_all(dialers: Sequence[Dialer], why: str) -> None:
    for dialer in dialers:
        dialer.stop(f"told to stop ({why})")


def _tell_all(dialers: Sequence[Dialer], detail: str) -> None:
    for dialer in dialers:
        dialer.network_changed(detail)


async def _prepare(
    stack: contextlib.AsyncExitStack, wanted: Wanted, state: Path, view: View, observers: Sequence[Observer]
) -> Dialer:
    settings = wanted.settings
    folder = tunnel_dir(state, settings.name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(f"cannot make the state directory: {error.strerror}", where=str(folder)) from error
    host = HostSide(settings, folder)
    recovered = await host.recover()
    log = EventLog(folder / EVENT_LOG_NAME)
    log.listeners.append(view.record)
    log.observers.extend(observers)
    stack.callback(log.close)
    engine = await _open_engine(settings)
    stack.callback(engine.close)
    dialer = Dialer(settings, wanted.password, engine, host, report=log.emit, listener=view.step)
    if recovered:
        log.emit(DialNoticed(f"a killed predecessor left: {'; '.join(recovered)}; undone"), {"tunnel": settings.name})
    api = ApiServer(folder / SOCKET_NAME, _verbs(dialer))
    await api.start()
    stack.push_async_callback(api.stop)
    return dialer


async def _open_engine(settings: TunnelSettings) -> Engine:
    for _ in range(TUN_TRIES):
        try:
            return Engine(tun_name=settings.interface, tun_mtu=settings.link.mtu)
        except OSError as error:
            if _number(error) != errno.EBUSY:
                raise _no_engine(settings.interface, error) from error
        await asyncio.sleep(TUN_PAUSE)
    fix = "another tunnel uses this name: choose one with --interface"
    raise HostError("the interface is in use", where=settings.interface, fix=fix)


def _no_engine(interface: str, error: OSError) -> HostError:
    number = _number(error)
    if number in {errno.EPERM, errno.EACCES}:
        return HostError(
            "not allowed to make a TUN device or raw sockets", where=interface, fix=RIGHTS_FIX + " and CAP_NET_RAW"
        )
    if number in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        fix = "modprobe tun; in a container, pass /dev/net/tun in"
        return HostError("this host has no TUN device (/dev/net/tun)", where=interface, fix=fix)
    return HostError(f"the packet engine cannot start: {error.strerror or error}", where=interface)


def _number(error: OSError) -> int:
    """Return the errno; errors of the core carry it in their text only."""
    found = re.search(r"\(os error (\d+)\)", str(error))
    return error.errno or (int(found[1]) if found else 0)


def _verbs(dialer: Dialer) -> Mapping[str, Any]:
    async def status(_request: dict[str, Any]) -> dict[str, Any]:
        return dialer.status()

    async def stop(_request: dict[str, Any]) -> dict[str, Any]:
        dialer.stop("told to stop by the control socket")
        return {"name": dialer.settings.name}

    async def probe(_request: dict[str, Any]) -> list[dict[str, Any]]:
        return await dialer.probe()

    return {"status": status, "stop": stop, "probe": probe}


class Watchdog:
    """Tells systemd that the event loop turns, twice as often as it asks (sd_watchdog_enabled(3))."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._period = int(os.environ.get("WATCHDOG_USEC", "0") or 0) / 2_000_000
        self._handle: asyncio.TimerHandle | None = None
        if self._period:
            self._feed()

    def close(self) -> None:
        """Say nothing more."""
        if self._handle is not None:
            self._handle.cancel()

    def _feed(self) -> None:
        notify("WATCHDOG=1")
        self._handle = self._loop.call_later(self._period, self._feed)


def statuses(state: Path) -> list[dict[str, Any]]:
    """Ask every running dialer of this state directory how it is."""
    found = []
    for path in sorted((state / "dial").glob(f"*/{SOCKET_NAME}")):
        with contextlib.suppress(HoldfastError):
            found.append(request(path, "status"))
    return found


@dataclass(slots=True)
class Cleaned:
    """What `clean` found, by tunnel: `undone` with what was undone, `running` ones left alone, `failed` with why."""

    undone: dict[str, list[str]] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)
    failed: dict[str, HostError] = field(default_factory=dict)


def clean(state: Path) -> Cleaned:
    """Undo what killed dialers of this state directory left, as far as the host lets it be undone."""
    found = Cleaned()
    for folder in sorted((state / "dial").glob("*/")):
        if not (folder / "network.lock").exists():
            continue
        try:
            found.undone[folder.name] = HostNetwork(folder).recover()
        except HeldError:
            found.running.append(folder.name)
        except HostError as error:
            found.failed[folder.name] = error
    return found
