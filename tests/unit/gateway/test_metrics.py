"""The gateway's metrics, read as Prometheus reads them."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from holdfast.config import parse
from holdfast.errors import HostError
from holdfast.gateway.metrics import GatewayMetrics
from holdfast.observe.event_log import EventLog
from holdfast.observe.metrics_http import read_token
from support.pns_client import PnsClient


async def scrape(port: int, token: str) -> dict[tuple[str, ...], float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /metrics HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 200 ")
    families = text_string_to_metric_families(body.decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.mark.asyncio
async def test_a_session_shows_in_the_metrics(world, tmp_path, unused_tcp_port):
    (tmp_path / "token").write_text("abc\nrest\n")
    text = f'[metrics]\nlisten = "127.0.0.1:{unused_tcp_port}"\ntoken_file = "{tmp_path}/token"\n'
    text += "per_user = true\nper_call = true\n"
    metrics = GatewayMetrics(parse(text).config, world.log)
    await metrics.start(world.gateway, world.engine)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    seen = await scrape(unused_tcp_port, "abc")
    assert seen["holdfast_sessions", "up"] == 1
    assert seen["holdfast_control_connections",] == 1
    assert seen["holdfast_addresses", "used"] == 1
    assert seen["holdfast_setups_total",] == 1
    assert seen["holdfast_phase_seconds_count", "total"] == 1
    assert seen["holdfast_user_connected_seconds", "alice"] > 0
    assert ("holdfast_user_round_trip_seconds", "alice") not in seen, "no echo was answered yet"
    world.counts(round_trip_time=0.25)
    assert (await scrape(unused_tcp_port, "abc"))["holdfast_user_round_trip_seconds", "alice"] == 0.25
    seen = await scrape(unused_tcp_port, "abc")
    call_id = str(world.only().local_call_id)
    assert seen["holdfast_call_bytes_total", call_id, "in", "alice"] == 0
    assert seen["holdfast_call_round_trip_seconds", call_id, "alice"] == 0.25
    assert seen["holdfast_control_round_trip_seconds_count",] > 0
    assert 0 < seen["holdfast_control_round_trip_seconds_sum",] < 10
    await world.api.disconnect({"user": "alice"})
    await client.wait(lambda: client.ended is not None)
    seen = await scrape(unused_tcp_port, "abc")
    assert seen["holdfast_sessions_ended_total", "admin"] == 1
    assert seen["holdfast_user_bytes_total", "in", "alice"] == 2
    await metrics.stop()


@pytest.mark.asyncio
async def test_off_by_default(world):
    metrics = GatewayMetrics(parse("").config, world.log)
    await metrics.start(world.gateway, world.engine)
    await metrics.stop()
    assert not world.log.observers


@pytest.mark.asyncio
async def test_a_taken_port_is_said(world):
    metrics = GatewayMetrics(parse(f'[metrics]\nlisten = "127.0.0.1:{world.port}"\n').config, world.log)
    with pytest.raises(HostError, match="cannot serve metrics"):
        await metrics.start(world.gateway, world.engine)


def test_nothing_is_read_before_the_gateway_is_there(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    metrics = GatewayMetrics(parse('[metrics]\nlisten = "127.0.0.1"\n').config, log)
    metrics.metrics.take_reading()
    assert b"holdfast_control_connections 0.0" in metrics.metrics.expose()
    log.close()


def test_tokens_come_from_files(tmp_path):
    with pytest.raises(HostError, match="No such file"):
        read_token(tmp_path / "token")
    (tmp_path / "token").write_text("\n")
    with pytest.raises(HostError, match="holds no token"):
        read_token(tmp_path / "token")
