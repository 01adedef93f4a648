"""Metrics of a running gateway: what is read at a scrape, and the door it is read through."""

import asyncio

from holdfast.config import Config
from holdfast.dataplane.interface import PacketEngine
from holdfast.gateway.gateway import Gateway
from holdfast.observe.event_log import EventLog
from holdfast.observe.metrics import Metrics
from holdfast.observe.metrics_http import MetricsEndpoint, serve_metrics
from holdfast.observe.metrics_reading import Reading, UserReading


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
            users=self._users(gateway, engine) if self._section.per_user else (),
        )

    def _users(self, gateway: Gateway, engine: PacketEngine) -> tuple[UserReading, ...]:
        now = gateway.now()
        readings = []
        for subscriber in gateway.subscribers.values():
            if subscriber.user:
                counts = engine.counters(subscriber.carrier.handle)
                age = now - subscriber.started
                octets = counts.bytes_in, counts.bytes_out
                readings.append(UserReading(subscriber.user, age, *octets, counts.round_trip_time))
        return tuple(readings)
