"""What is known only at the moment of a scrape: states, the engine's counts, queues, CPU."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from holdfast.dataplane.interface import Counters
from holdfast.observe.distribution import Spread

TASKS = Path("/proc/self/task")
WORKER_PREFIX = "holdfast-"
TICKS = os.sysconf("SC_CLK_TCK")

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


@dataclass(frozen=True, slots=True)
class UserReading:
    """A user who is on: seconds since the session came to be, octets of user packets so far, round trip in seconds."""

    user: str
    seconds: float
    bytes_in: int
    bytes_out: int
    round_trip: float = 0.0


@dataclass(frozen=True, slots=True)
class CallReading:
    """A session that is on, by the Call ID that we chose: octets of user packets and lost GRE packets so far."""

    call_id: int
    user: str
    bytes_in: int
    bytes_out: int
    lost: int = 0
    round_trip: float = 0.0


@dataclass(frozen=True, slots=True)
class PathReading:
    """Distributions over all sessions: through the tunnels, and of their control connections."""

    tunnel: Spread = field(default_factory=Spread)
    tunnel_jitter: Spread = field(default_factory=Spread)
    control: Spread = field(default_factory=Spread)
    control_jitter: Spread = field(default_factory=Spread)
    retransmits: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the gateway. `engine` counts since the start, ended sessions included."""

    connections: int = 0
    sessions: Mapping[str, int] = field(default_factory=dict)
    addresses_used: int = 0
    addresses_size: int = 0
    log_waiting: int = 0
    log_dropped: int = 0
    log_failing: bool = False
    draining: bool = False
    engine: Counters = field(default_factory=Counters)
    fragmented_in: int = 0
    too_big: int = 0
    paths: PathReading = field(default_factory=PathReading)
    users: tuple[UserReading, ...] = ()
    calls: tuple[CallReading, ...] = ()


class ReadingCollector(Collector):
    """Turns the last reading into families. `take` runs with the gateway, `collect` may run in another thread."""

    def __init__(self, registry: CollectorRegistry, read: Callable[[], Reading], version: str) -> None:
        self._read = read
        self._version = version
        self._last = Reading()
        ProcessCollector(registry=registry)
        registry.register(self)

    def take(self) -> None:
        """Read the gateway."""
        self._last = self._read()

    def describe(self) -> list[Family]:
        """Return no description: the registry would read the gateway to find one."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield the families of the last reading."""
        reading = self._last
        yield from process_families(self._version)
        yield from _gateway(reading)
        yield from engine_families({(): reading.engine})
        yield from _fragments(reading)
        yield from _paths(reading.paths)
        if reading.users:
            yield from _users(reading.users)
        if reading.calls:
            yield from _calls(reading.calls)


def process_families(version: str) -> Iterator[Family]:
    """Yield what every process of ours tells of itself."""
    yield _gauge("holdfast_build_info", "Version of Holdfast; always 1.", 1, version=version)
    yield _labelled(
        CounterMetricFamily, "holdfast_worker_cpu_seconds", "CPU time by worker thread.", "worker", worker_seconds()
    )


def _gateway(reading: Reading) -> Iterator[Family]:
    yield _gauge("holdfast_control_connections", "Control connections that are open.", reading.connections)
    states = {state: reading.sessions.get(state, 0) for state in ("setup", "up", "closing")} | dict(reading.sessions)
    yield _labelled(GaugeMetricFamily, "holdfast_sessions", "Sessions by state.", "state", states)
    yield _labelled(
        GaugeMetricFamily,
        "holdfast_addresses",
        "Addresses of the pool.",
        "state",
        {"used": reading.addresses_used, "free": max(0, reading.addresses_size - reading.addresses_used)},
    )
    yield _gauge("holdfast_draining", "Whether new calls are refused.", int(reading.draining))
    yield _gauge("holdfast_event_log_backlog", "Facts that wait to be written.", reading.log_waiting)
    yield _counter("holdfast_event_log_dropped", "Facts that could not be written.", reading.log_dropped)
    yield _gauge("holdfast_event_log_failing", "Whether the log cannot be written now.", int(reading.log_failing))


def engine_families(counts: Mapping[tuple[str, ...], Counters], labels: tuple[str, ...] = ()) -> Iterator[Family]:
    """Yield what engines count, for each engine by the values of `labels`."""
    for name, text, label, read in ENGINE_FAMILIES:
        family = CounterMetricFamily(name, text, labels=[*labels, *filter(None, [label])])
        for values, engine in counts.items():
            for key, value in read(engine).items():
                family.add_metric([*values, *filter(None, [key])], value)
        yield family


ENGINE_FAMILIES: tuple[tuple[str, str, str, Callable[[Counters], Mapping[str, float]]], ...] = (
    ("holdfast_gre_packets", "GRE packets.", "direction", lambda c: {"in": c.gre_packets_in, "out": c.gre_packets_out}),
    (
        "holdfast_packets",
        "User packets inside the tunnels.",
        "direction",
        lambda c: {"in": c.packets_in, "out": c.packets_out},
    ),
    ("holdfast_bytes", "Octets of user packets.", "direction", lambda c: {"in": c.bytes_in, "out": c.bytes_out}),
    ("holdfast_gre_lost", "Sequence numbers that never came.", "", lambda c: {"": c.gre_lost}),
    ("holdfast_gre_reordered", "GRE packets that came out of order.", "", lambda c: {"": c.gre_reordered}),
    ("holdfast_gre_duplicates", "GRE packets that came twice.", "", lambda c: {"": c.gre_duplicates}),
    ("holdfast_mppe_resets", "Times MPPE lost step and was reset.", "", lambda c: {"": c.mppe_resets}),
    (
        "holdfast_lcp_echoes",
        "LCP Echo-Requests of ours.",
        "result",
        lambda c: {"sent": c.echoes_sent, "answered": c.echoes_answered},
    ),
    ("holdfast_drops", "Packets thrown away, by cause.", "cause", lambda c: c.drops),
)
"""Name, text, label and the values of each family."""


def _fragments(reading: Reading) -> Iterator[Family]:
    both = {"in": reading.fragmented_in, "out": reading.engine.gre_fragmented_out}
    yield _labelled(
        CounterMetricFamily, "holdfast_gre_fragmented", "GRE packets that travelled in pieces.", "direction", both
    )
    yield _counter(
        "holdfast_gre_too_big_told", "Messages of routers that a GRE packet of ours is too big.", reading.too_big
    )


def _paths(paths: PathReading) -> Iterator[Family]:
    for name, text, spread in (
        ("holdfast_tunnel_round_trip_seconds", "Round trips of LCP echoes, through the tunnels.", paths.tunnel),
        ("holdfast_tunnel_jitter_seconds", "Differences of one round trip to the next.", paths.tunnel_jitter),
        ("holdfast_control_round_trip_seconds", "Round trips of control connections, beside.", paths.control),
        ("holdfast_control_jitter_seconds", "Mean deviations of these (RFC 6298).", paths.control_jitter),
    ):
        family = HistogramMetricFamily(name, text)
        family.add_metric([], spread.buckets, spread.total)
        yield family
    yield _counter("holdfast_control_retransmits", "Segments sent again on control connections.", paths.retransmits)


def _calls(calls: tuple[CallReading, ...]) -> Iterator[Family]:
    labels = ["call_id", "user"]
    octets = CounterMetricFamily(
        "holdfast_call_bytes", "Octets of user packets by call.", labels=[*labels, "direction"]
    )
    lost = CounterMetricFamily(
        "holdfast_call_lost", "GRE packets of the client that never came, by call.", labels=labels
    )
    trips = GaugeMetricFamily("holdfast_call_round_trip_seconds", "Last LCP echo, by call.", labels=labels)
    for one in calls:
        named = [str(one.call_id), one.user]
        octets.add_metric([*named, "in"], one.bytes_in)
        octets.add_metric([*named, "out"], one.bytes_out)
        lost.add_metric(named, one.lost)
        if one.round_trip:
            trips.add_metric(named, one.round_trip)
    yield octets
    yield lost
    yield trips


def _users(users: tuple[UserReading, ...]) -> Iterator[Family]:
    seconds = GaugeMetricFamily("holdfast_user_connected_seconds", "Age of a user's oldest session.", labels=["user"])
    octets = GaugeMetricFamily(
        "holdfast_user_open_bytes", "Octets in a user's open sessions so far.", labels=["user", "direction"]
    )
    trips = GaugeMetricFamily(
        "holdfast_user_round_trip_seconds", "Round trip of the last LCP echo, the longest of a user's.", labels=["user"]
    )
    oldest: dict[str, float] = {}
    longest: dict[str, float] = {}
    moved: dict[tuple[str, str], int] = {}
    for one in users:
        oldest[one.user] = max(oldest.get(one.user, 0.0), one.seconds)
        if one.round_trip:
            longest[one.user] = max(longest.get(one.user, 0.0), one.round_trip)
        for direction, count in (("in", one.bytes_in), ("out", one.bytes_out)):
            moved[one.user, direction] = moved.get((one.user, direction), 0) + count
    for user, age in oldest.items():
        seconds.add_metric([user], age)
    for (user, direction), count in moved.items():
        octets.add_metric([user, direction], count)
    for user, trip in longest.items():
        trips.add_metric([user], trip)
    yield seconds
    yield octets
    yield trips


def worker_seconds(tasks: Path = TASKS) -> dict[str, float]:
    """Return seconds of CPU by thread: the engine's by their names, `main`, and `other` for the rest together."""
    spent = {"main": 0.0, "other": 0.0}
    for task in tasks.iterdir() if tasks.is_dir() else ():
        # a thread may end while we look
        with contextlib.suppress(OSError, ValueError, IndexError):
            name = (task / "comm").read_text().strip()
            rest = (task / "stat").read_text().rpartition(")")[2].split()
            worker = _worker(name, main=task.name == str(os.getpid()))
            spent[worker] = spent.get(worker, 0.0) + (int(rest[11]) + int(rest[12])) / TICKS
    return spent


def _worker(name: str, *, main: bool) -> str:
    if main:
        return "main"
    return name.removeprefix(WORKER_PREFIX) if name.startswith(WORKER_PREFIX) else "other"


def _gauge(name: str, text: str, value: float, **labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value=value)


def _labelled(
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
    name: str,
    text: str,
    label: str,
    values: Mapping[str, float],
) -> Family:
    family = kind(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
