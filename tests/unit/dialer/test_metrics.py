"""Metrics of tunnels, read as Prometheus reads them."""

import asyncio
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from holdfast.dataplane.interface import Counters
from holdfast.dialer.metrics import DialMetrics, MetricsSettings
from holdfast.errors import DisconnectReason, HostError
from holdfast.events import DialPhaseReached, SessionEnded

pytestmark = pytest.mark.asyncio
HERE = MetricsSettings("127.0.0.1", 0)
IDLE: dict[str, Any] = {
    "state": "waiting",
    "seconds_in_state": 3.0,
    "next_try_in": 5.0,
    "up": None,
    "path": None,
    "counters": None,
}
UP = {
    **IDLE,
    "state": "up",
    "next_try_in": None,
    "up": {"mtu": 1396},
    "path": {"path": 1440},
    "counters": {"round_trip_time": 0.02},
}


class Tunnel:
    def __init__(self, status: dict[str, Any], **counts: Any) -> None:
        self._status, self._counts = status, Counters(**counts)

    def status(self) -> dict[str, Any]:
        return self._status

    def totals(self) -> Counters:
        return self._counts


async def scrape(port: int) -> dict[tuple[str, ...], float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 200 ")
    families = text_string_to_metric_families(body.decode())
    return {key(one.name, dict(one.labels)): one.value for family in families for one in family.samples}


def key(name: str, labels: dict[str, str]) -> tuple[str, ...]:
    """The tunnel first, where there is one."""
    tunnel = [labels.pop("tunnel")] if "tunnel" in labels else []
    return (name, *tunnel, *labels.values())


async def test_what_tunnels_are_and_count() -> None:
    metrics = DialMetrics(["office", "lab"])
    tunnels = {"office": Tunnel(UP, gre_packets_in=7, drops={"late": 2}), "lab": Tunnel(IDLE)}
    port = await metrics.start(HERE, tunnels)
    for phase, took in (("name", 1.0), ("tcp", 20.0), ("host", 30.0)):
        metrics.observe(DialPhaseReached(phase, took), {"tunnel": "office"})
    ended = SessionEnded(DisconnectReason.ECHO_TIMEOUT, "silent", "alice", 1, 2, 3, 4, 12.5)
    metrics.observe(ended, {"tunnel": "office"})
    seen = await scrape(port)
    assert seen["holdfast_tunnel_state", "office", "up"] == 1
    assert seen["holdfast_tunnel_state", "lab", "up"] == 0
    assert seen["holdfast_tunnel_state", "lab", "waiting"] == 1
    assert seen["holdfast_tunnel_next_try_seconds", "lab"] == 5
    assert ("holdfast_tunnel_next_try_seconds", "office") not in seen
    assert (seen["holdfast_tunnel_mtu_bytes", "office"], seen["holdfast_path_bytes", "office"]) == (1396, 1440)
    assert seen["holdfast_lcp_round_trip_seconds", "office"] == 0.02
    assert seen["holdfast_gre_packets_total", "office", "in"] == 7
    assert seen["holdfast_drops_total", "office", "late"] == 2
    assert (seen["holdfast_dial_tries_total", "office"], seen["holdfast_dial_tries_total", "lab"]) == (1, 0)
    assert seen["holdfast_setups_total", "office"] == 1
    assert seen["holdfast_sessions_ended_total", "office", "echo_timeout"] == 1
    assert seen["holdfast_sessions_ended_total", "lab", "echo_timeout"] == 0
    assert seen["holdfast_session_seconds_sum", "office"] == 12.5
    assert seen["holdfast_phase_seconds_sum", "office", "tcp"] == 0.02
    assert seen["holdfast_events_total", "DIAL_PHASE", "info"] == 3
    assert any(name[0] == "holdfast_build_info" for name in seen)
    await metrics.stop()


async def test_a_taken_port_is_said() -> None:
    first = DialMetrics([])
    port = await first.start(HERE, {})
    with pytest.raises(HostError, match="cannot serve metrics"):
        await DialMetrics([]).start(MetricsSettings("127.0.0.1", port), {})
    await first.stop()
