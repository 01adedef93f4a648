"""The life of a gateway process: from a configuration and a state directory to a clean end."""

import asyncio
import contextlib
import fcntl
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast import __version__
from holdfast.config import Config, Endpoint, LoadedConfig
from holdfast.dataplane.engine import Engine
from holdfast.errors import HoldfastError, HostError, StateError
from holdfast.events import GatewayStarted, GatewayStopped
from holdfast.gateway.api import GatewayApi
from holdfast.gateway.client_routes import ClientRoutes
from holdfast.gateway.connection import ControlConnection
from holdfast.gateway.control_guard import ControlGuard
from holdfast.gateway.fragmentation import watched_fragments
from holdfast.gateway.gateway import Gateway, Means
from holdfast.gateway.leftovers import report_leftovers, settled
from holdfast.gateway.lockout_keeper import kept_lockouts
from holdfast.gateway.log_api import LogApi
from holdfast.gateway.log_setup import Journal, open_log
from holdfast.gateway.loop_faults import LoopFaults
from holdfast.gateway.metrics import GatewayMetrics
from holdfast.gateway.operation_api import OperationApi
from holdfast.gateway.radius_service import radius
from holdfast.gateway.recording import recorder_from
from holdfast.gateway.reload import Reloader
from holdfast.gateway.settings import settings_from, usual_workers
from holdfast.gateway.state_keeper import kept_state
from holdfast.gateway.tracing import Tracing
from holdfast.gateway.user_changes import UserChangeTeller
from holdfast.local_api import SOCKET_NAME, ApiServer
from holdfast.network.gateway import GatewayNetwork
from holdfast.network.host import HostNetwork
from holdfast.network.table_keeper import kept
from holdfast.network.watch import FORWARDING, LINKS, NetworkWatch
from holdfast.observe.event_log import EventLog, Listener
from holdfast.policy.addresses import AddressPool, PoolRules
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.chap_secrets import ChapSecrets
from holdfast.policy.directory import CredentialsSource
from holdfast.policy.files import OWNER_ONLY
from holdfast.policy.first_start import FirstUser, make_first_user
from holdfast.policy.host_dns import host_dns
from holdfast.policy.state_changes import StateChanges
from holdfast.policy.store import Store
from holdfast.policy.users import Users
from holdfast.systemd import notify, watchdog_interval

GOODBYE_TIMEOUT = 2.0
"""Seconds for clients to be told goodbye and to answer; a stop takes at most 5 in all, of which thousands of silent
clients need the rest."""
BACKLOG = 4096
OPEN_FILES = 65_536


@dataclass(frozen=True, slots=True)
class Started:
    """What a gateway that just came up tells the person who started it."""

    listen: tuple[str, ...]
    config: Config
    state: Path
    first_user: FirstUser | None
    recovered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a gateway has open besides its clients."""

    loaded: LoadedConfig
    state: Path
    store: Store
    journal: Journal
    engine: Engine


async def serve(
    loaded: LoadedConfig,
    state: Path,
    started: Callable[[Started], None],
    listeners: tuple[Listener, ...] = (),
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Run a gateway until SIGTERM or SIGINT. `stopping` is called before the first client is told goodbye.

    HoldfastError says why it cannot start, or that its packet engine broke; nothing is left behind then.
    """
    config = loaded.config
    stop = _told_to_stop(asyncio.get_running_loop())
    _allow_many_files()
    async with contextlib.AsyncExitStack() as stack:
        store = stack.enter_context(Store.open(state))
        stack.enter_context(_only_one(state))
        store.check()
        journal = open_log(config, state, listeners)
        log = journal.log
        stack.callback(journal.close)
        metrics = GatewayMetrics(config, log)
        engine, routes, recovered = await _host(stack, config, state, log)
        recorder = recorder_from(config, state, log)
        stack.callback(recorder.close)
        users = _authenticator(config, store)
        kept = StateChanges()
        means = Means(engine, users, _pool(config, store, users, kept), kept, log, recorder, routes)
        gateway = _gateway(loaded, means)
        await stack.enter_async_context(
            kept_state(kept, store, lambda event: gateway.report(event, {}), lambda: settled(log))
        )
        await stack.enter_async_context(kept_lockouts(gateway, store))
        await stack.enter_async_context(watched_fragments(gateway))
        await stack.enter_async_context(radius(gateway, config, state, users, log, store=store))
        await report_leftovers(store, log, gateway.report)
        servers = [await _bind(gateway, endpoint) for endpoint in config.gateway.listen]
        listen = tuple(_bound(server) for server in servers)
        changes = await _answer_operators(stack, _Opened(loaded, state, store, journal, engine), gateway, listen)
        stack.push_async_callback(metrics.stop)
        await metrics.start(gateway, engine)
        await gateway.start(servers)
        await _let_clients_in(servers, config.gateway.listen)
        started(Started(listen, config, state, make_first_user(store), tuple(recovered)))
        # When the log cannot be written, LOG_FAILED says it, and the notes wait for the next change or start.
        with contextlib.suppress(HoldfastError):
            await changes.tell()
        gateway.report(GatewayStarted(listen, __version__), {})
        notify("READY=1")
        await _until(stop, gateway.drained, gateway.broken)
        notify("STOPPING=1")
        stopping()
        await gateway.stop(GOODBYE_TIMEOUT)
        gateway.report(GatewayStopped(f"{_why(stop, gateway)}; every client was told goodbye"), {})
    if gateway.fault:
        # Not 0: the service manager must start it again.
        raise HostError(
            f"the packet engine broke: {gateway.fault}", fix="Start the gateway again; systemd does so by itself."
        )


async def _answer_operators(
    stack: contextlib.AsyncExitStack, opened: _Opened, gateway: Gateway, listen: tuple[str, ...]
) -> UserChangeTeller:
    """Open the control socket, and read the configuration again on SIGHUP; return what tells changes of users."""
    log, socket = opened.journal.log, opened.state / SOCKET_NAME
    guard = ControlGuard(socket, lambda event: gateway.report(event, {}), gateway.now)
    reloader = Reloader(opened.loaded, gateway, log, _resolvers(), guard.apply)
    gateway.loop.add_signal_handler(signal.SIGHUP, reloader.by_signal)
    changes = UserChangeTeller(opened.store, log, gateway.report)
    tellers = (
        GatewayApi(gateway, opened.engine, listen),
        LogApi(opened.journal),
        Tracing(gateway, log),
        OperationApi(gateway, reloader),
        changes,
    )
    api = ApiServer(socket, {name: verb for one in tellers for name, verb in one.verbs().items()}, guard.check)
    await api.start()
    stack.push_async_callback(api.stop)
    guard.apply(opened.loaded.config)
    return changes


def _gateway(loaded: LoadedConfig, means: Means) -> Gateway:
    """Return the gateway, and let the log have what nobody else catches."""
    gateway = Gateway(settings_from(loaded, _resolvers()), means)
    gateway.loop.set_exception_handler(LoopFaults(lambda event: gateway.report(event, {})))
    return gateway


def _told_to_stop(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    """Return what SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _why(stop: asyncio.Event, gateway: Gateway) -> str:
    if gateway.fault:
        return "the packet engine broke"
    return "told to stop" if stop.is_set() else "drained"


async def _until(*ends: asyncio.Event) -> None:
    """Wait for one of the events, and meanwhile show the service manager's watchdog that the loop turns."""
    interval = watchdog_interval()
    waits = [asyncio.create_task(end.wait()) for end in ends]
    try:
        while not (await asyncio.wait(waits, timeout=interval, return_when=asyncio.FIRST_COMPLETED))[0]:
            notify("WATCHDOG=1")
    finally:
        for wait in waits:
            wait.cancel()


async def _host(
    stack: contextlib.AsyncExitStack, config: Config, state: Path, log: EventLog
) -> tuple[Engine, ClientRoutes, list[str]]:
    """Make device, addresses, routes and firewall, to be taken back with the stack.

    Return the engine, what routes single clients, and what a killed predecessor had left and was taken back.
    """
    network = HostNetwork(state)
    recovered = await asyncio.to_thread(network.recover)
    engine = _engine(config)
    stack.callback(engine.close)
    stack.push_async_callback(asyncio.to_thread, network.rollback)
    plan = _plan(config, engine.tun_name)
    await asyncio.to_thread(network.apply, plan.changes())
    routes = ClientRoutes(network, plan, log.emit)
    stack.push_async_callback(routes.stop)
    stack.callback(NetworkWatch(routes.host_changed, LINKS | FORWARDING).close)
    await stack.enter_async_context(kept(routes.restore_tables, lambda event: log.emit(event, {})))
    return engine, routes, recovered


def _resolvers() -> tuple[str, ...]:
    return tuple(map(str, host_dns()))


def _authenticator(config: Config, store: Store) -> Authenticator:
    sources: list[CredentialsSource] = [Users(store)]
    if config.users.chap_secrets is not None:
        sources.append(ChapSecrets(config.users.chap_secrets, config.users.chap_secrets_server))
    return Authenticator(sources)


def _pool(config: Config, store: Store, authenticator: Authenticator, changes: StateChanges) -> AddressPool:
    addresses = config.addresses
    named = {name: pool.ranges for name, pool in config.pools.items()}
    rules = PoolRules(addresses.pool, (addresses.gateway,), named)
    return AddressPool(rules, store, dedications=authenticator.directory.dedicated, remember=changes.lease)


def _engine(config: Config) -> Engine:
    listen = config.gateway.listen
    # One socket for each address, however many ports of it are listened on: two would hear every packet twice.
    named = () if any(end.everywhere for end in listen) else tuple(dict.fromkeys(str(end.address) for end in listen))
    try:
        return Engine(
            tun_name=config.gateway.tun_name,
            bind_addresses=named,
            tun_mtu=config.ppp.mtu,
            heartbeats=tuple(map(str, config.timeouts.heartbeats)),
            workers=config.gateway.workers or usual_workers(len(os.sched_getaffinity(0))),
        )
    except OSError as error:
        fix = (
            f"Each address of gateway.listen ({', '.join(named) or 'all'}) must be this machine's (ip addr says), and "
            f"no other gateway may have the interface {config.gateway.tun_name} (gateway.tun_name)."
        )
        if isinstance(error, PermissionError):
            fix = "Run as root, or give the process CAP_NET_ADMIN, CAP_NET_RAW and /dev/net/tun."
        raise HostError(f"cannot open the TUN interface and the socket for GRE: {error}", fix=fix) from error


def _plan(config: Config, tun: str) -> GatewayNetwork:
    addresses = config.addresses
    ranges = [*addresses.pool, *(part for pool in config.pools.values() for part in pool.ranges)]
    pools = tuple((part.first, part.last) for part in ranges)
    return GatewayNetwork(
        tun,
        (addresses.gateway,),
        pools,
        mtu=config.ppp.mtu,
        nat=addresses.nat,
        nat_interface=addresses.nat_interface or "",
        filters={name: section.rules for name, section in config.filters.items()},
    )


async def _bind(gateway: Gateway, endpoint: Endpoint) -> asyncio.Server:
    """Take the port. Nobody can connect before `_let_clients_in`: whoever is let in is looked after."""
    with _told_where(endpoint):
        return await gateway.loop.create_server(
            lambda: ControlConnection(gateway),
            str(endpoint.address),
            endpoint.port,
            backlog=BACKLOG,
            start_serving=False,
        )


async def _let_clients_in(servers: Sequence[asyncio.Server], endpoints: Sequence[Endpoint]) -> None:
    for server, endpoint in zip(servers, endpoints, strict=True):
        with _told_where(endpoint):
            await server.start_serving()


@contextlib.contextmanager
def _told_where(endpoint: Endpoint) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(
            f"cannot listen: {os.strerror(error.errno or 0)}",
            where=str(endpoint),
            fix="Another program (pptpd?) may hold the port, or the address is not this machine's: ss -ltnp says.",
        ) from error


def _bound(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"


@contextlib.contextmanager
def _only_one(state: Path) -> Iterator[None]:
    """Hold the state directory's lock, so that two gateways never share addresses by accident."""
    path = state / "gateway.lock"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY), "w") as lock:
        # Who may pass the directory to reach the control socket must not be able to take the lock.
        path.chmod(OWNER_ONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(
                "a gateway runs with this state directory already",
                where=str(state),
                fix="holdfast status asks it how it is; give a second one a directory of its own: --state DIR.",
            ) from error
        yield


def _allow_many_files() -> None:
    """One client is one descriptor; the usual limit of 1024 would refuse the rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, min(OPEN_FILES, hard))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
