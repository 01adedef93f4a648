"""Metrics of the tunnels of one process, in the words of the gateway's, each with the label `tunnel`.

What events count is counted when they happen; states and the engines' counts are read at a scrape.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from holdfast import __version__
from holdfast.dataplane.interface import Counters
from holdfast.dialer.metrics_probes import probe_families
from holdfast.dialer.phases import Phase as Step
from holdfast.dialer.reconnect import Phase
from holdfast.errors import DisconnectReason
from holdfast.events import DialPhaseReached, Event, SessionEnded
from holdfast.observe.event_count import EventCount
from holdfast.observe.metrics import PHASE_BUCKETS, SESSION_BUCKETS
from holdfast.observe.metrics_http import MetricsEndpoint, serve_metrics
from holdfast.observe.metrics_reading import Family, engine_families, process_families

TUNNEL = ("tunnel",)


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where Prometheus may read, and the file with the token that it must show (None: none is needed)."""

    host: str
    port: int
    token_file: Path | None = None


class Measured(Protocol):
    """A tunnel, as far as metrics look at it."""

    def status(self) -> dict[str, Any]:
        """Return how the tunnel is, as `holdfast dial status --json` shows it."""

    def totals(self) -> Counters:
        """Return what its engine has counted since it began, ended sessions included."""


class DialMetrics:
    """One registry for all tunnels. `observe` is an observer of their event logs."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are those of all tunnels, whose series begin at zero."""
        self._registry = CollectorRegistry()
        self._endpoint: MetricsEndpoint | None = None
        self._reading = _Reading(self._registry)
        self._events = EventCount(self._registry)
        self._tries = Counter("holdfast_dial_tries", "Tries to dial.", TUNNEL, registry=self._registry)
        self._setups = Counter(
            "holdfast_setups", "Sessions in which traffic became possible.", TUNNEL, registry=self._registry
        )
        self._ended = Counter(
            "holdfast_sessions_ended", "Sessions that ended, by reason.", (*TUNNEL, "reason"), registry=self._registry
        )
        self._phase_seconds = Histogram(
            "holdfast_phase_seconds",
            "Time each phase of a try took.",
            (*TUNNEL, "phase"),
            registry=self._registry,
            buckets=PHASE_BUCKETS,
        )
        self._session_seconds = Histogram(
            "holdfast_session_seconds",
            "How long sessions lasted.",
            TUNNEL,
            registry=self._registry,
            buckets=SESSION_BUCKETS,
        )
        for name in names:
            self._begin_at_zero(name)

    def _begin_at_zero(self, name: str) -> None:
        """Prometheus sees no increase in a series that is born with 1."""
        self._tries.labels(name)
        self._setups.labels(name)
        for reason in DisconnectReason:
            self._ended.labels(name, str(reason))

    def observe(self, event: Event, context: Mapping[str, Any]) -> None:
        """Count a fact."""
        name = str(context.get("tunnel", ""))
        self._events.observe(event, context)
        if isinstance(event, DialPhaseReached):
            self._phase_seconds.labels(name, event.phase).observe(event.milliseconds / 1000)
            if event.phase == Step.NAME:
                self._tries.labels(name).inc()
            elif event.phase == Step.HOST:
                self._setups.labels(name).inc()
        elif isinstance(event, SessionEnded):
            self._ended.labels(name, str(event.reason)).inc()
            self._session_seconds.labels(name).observe(event.duration)

    async def start(self, settings: MetricsSettings, tunnels: Mapping[str, Measured]) -> int:
        """Listen, and return the port. HostError when that is not possible, or the token cannot be read."""
        self._reading.tunnels = tunnels
        self._endpoint = await serve_metrics(self.page, settings.host, settings.port, settings.token_file)
        return self._endpoint.port

    async def stop(self) -> None:
        """Stop listening."""
        if self._endpoint is not None:
            await self._endpoint.stop()

    async def page(self) -> bytes:
        """Return everything in Prometheus' text format: read on the tunnels' loop, written elsewhere."""
        self._reading.take()
        return await asyncio.to_thread(generate_latest, self._registry)


class _Reading(Collector):
    """What is known only at the moment of a scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tunnels: Mapping[str, Measured] = {}
        self._statuses: dict[str, dict[str, Any]] = {}
        self._totals: dict[tuple[str, ...], Counters] = {}
        ProcessCollector(registry=registry)
        registry.register(self)

    def take(self) -> None:
        """Read the tunnels."""
        self._statuses = {name: tunnel.status() for name, tunnel in self.tunnels.items()}
        self._totals = {(name,): tunnel.totals() for name, tunnel in self.tunnels.items()}

    def describe(self) -> list[Family]:
        """Return no description: the registry would read the tunnels to find one."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield the families of the last reading."""
        yield from process_families(__version__)
        states = GaugeMetricFamily("holdfast_tunnel_state", "1 for the state it is in.", labels=["tunnel", "state"])
        for name, status in self._statuses.items():
            for phase in Phase:
                states.add_metric([name, str(phase)], float(status["state"] == phase))
        yield states
        for family, text, read in _GAUGES:
            gauge = GaugeMetricFamily(family, text, labels=["tunnel"])
            for name, status in self._statuses.items():
                value = read(status)
                if value is not None:
                    gauge.add_metric([name], value)
            yield gauge
        yield from probe_families(self._statuses)
        yield from engine_families(self._totals, TUNNEL)


_GAUGES: tuple[tuple[str, str, Callable[[dict[str, Any]], float | None]], ...] = (
    ("holdfast_tunnel_state_seconds", "Time in that state.", lambda s: s["seconds_in_state"]),
    ("holdfast_tunnel_next_try_seconds", "Time until the next try, while one waits.", lambda s: s["next_try_in"]),
    ("holdfast_tunnel_mtu_bytes", "The tunnel's MTU, while it is up.", lambda s: s["up"] and s["up"]["mtu"]),
    ("holdfast_path_bytes", "The biggest packet seen to pass outside.", lambda s: s["path"] and s["path"]["path"]),
    (
        "holdfast_lcp_round_trip_seconds",
        "Round trip of the last LCP echo.",
        lambda s: (s["up"] and s["counters"] and s["counters"]["round_trip_time"]) or None,
    ),
)
"""Name, text and value of each family with one series a tunnel; None where there is nothing to tell."""
