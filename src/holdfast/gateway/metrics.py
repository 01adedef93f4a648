"""Metrics of a running gateway: what is read at a scrape, and the door it is read through."""

import asyncio

from holdfast.config import Config
from holdfast.dataplane.interface import Counters, PacketEngine
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.subscriber import Subscriber
from holdfast.observe.event_log import EventLog
from holdfast.observe.metrics import Metrics
from holdfast.observe.metrics_http import MetricsEndpoint, serve_metrics
from holdfast.observe.metrics_reading import CallReading, PathReading, Reading, UserReading

MOST_CALLS = 10_000
"""Sessions with series of their own: those that came first."""
Counted = list[tuple[Subscriber, Counters]]


class GatewayMetrics:
    """Metrics of one gateway; does nothing at all unless the configuration names an address."""

    def __init__(self, config: Config, log: EventLog) -> None:
        self._section = config.metrics
        self._log = log
        self._gateway: Gateway | None = None
        self._engine: PacketEngine | None = None
        self.metrics = Metrics(self._read, per_user=self._section.per_user)
        self._endpoint: MetricsEndpoint | None = None
        if self._section.listen is not None:
            log.observers.append(self.metrics.observe)

    async def start(self, gateway: Gateway, engine: PacketEngine) -> None:
        """Listen. HostError when that is not possible, or the token cannot be read."""
        listen = self._section.listen
        if listen is None:
            return
        self._gateway, self._engine = gateway, engine
        host, port = str(listen.address), listen.port
        self._endpoint = await serve_metrics(self._page, host, port, self._section.token_file)

    async def stop(self) -> None:
        """Stop listening."""
        if self._endpoint is not None:
            await self._endpoint.stop()

    async def _page(self) -> bytes:
        """Read the gateway here, on its own loop; write the text elsewhere, so that no session waits for it."""
        self.metrics.take_reading()
        return await asyncio.to_thread(self.metrics.expose)

    def _read(self) -> Reading:
        gateway, engine = self._gateway, self._engine
        if gateway is None or engine is None:
            return Reading()
        addresses, log = gateway.address_use(), gateway.log_state()
        open_sessions = self._counted(gateway, engine)
        return Reading(
            connections=len(gateway.connections),
            sessions=gateway.count_by_state(),
            addresses_used=addresses["used"],
            addresses_size=addresses["size"],
            log_waiting=log["backlog"],
            log_dropped=log["dropped"],
            log_failing=bool(log["failed"]),
            draining=gateway.draining,
            engine=engine.totals(),
            fragmented_in=gateway.fragmentation.received + gateway.fragmentation.missed,
            too_big=gateway.fragmentation.too_big,
            paths=_paths(gateway),
            users=_users(open_sessions, gateway.now()) if self._section.per_user else (),
            calls=_calls(open_sessions) if self._section.per_call else (),
        )

    def _counted(self, gateway: Gateway, engine: PacketEngine) -> Counted:
        """Return the counts of everybody who signed in, as far as anybody asked for them."""
        if not (self._section.per_user or self._section.per_call):
            return []
        known = [one for one in gateway.subscribers.values() if one.user]
        return [(one, engine.counters(one.carrier.handle)) for one in known]


def _paths(gateway: Gateway) -> PathReading:
    meter = gateway.paths
    return PathReading(
        meter.tunnel.read(),
        meter.tunnel_jitter.read(),
        meter.control.read(),
        meter.control_jitter.read(),
        meter.retransmits,
    )


def _users(counted: Counted, now: float) -> tuple[UserReading, ...]:
    return tuple(
        UserReading(one.user, now - one.started, counts.bytes_in, counts.bytes_out, counts.round_trip_time)
        for one, counts in counted
    )


def _calls(counted: Counted) -> tuple[CallReading, ...]:
    return tuple(
        CallReading(
            one.local_call_id, one.user, counts.bytes_in, counts.bytes_out, counts.gre_lost, counts.round_trip_time
        )
        for one, counts in counted[:MOST_CALLS]
    )
