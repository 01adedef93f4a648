"""Round trips through the tunnel and beside it, jitter, throughput."""

import pytest

from holdfast.dataplane.interface import Counters
from holdfast.gateway.paths import PathMeter, TunnelPath
from holdfast.network.tcp_info import TcpPath


def test_an_echo_counts_once_and_jitter_follows_the_changes() -> None:
    path = TunnelPath()
    assert not path.look(Counters(), 0.0)
    assert path.look(Counters(echoes_answered=1, round_trip_time=0.1), 10.0)
    assert (path.round_trip, path.change, path.jitter) == (0.1, None, None)
    assert not path.look(Counters(echoes_answered=1, round_trip_time=0.1), 20.0)
    assert path.look(Counters(echoes_answered=2, round_trip_time=0.26), 30.0)
    assert (path.change, path.jitter) == (pytest.approx(0.16), pytest.approx(0.01))
    assert path.look(Counters(echoes_answered=5, round_trip_time=0.26), 40.0)
    assert (path.change, path.jitter) == (0, pytest.approx(0.01 * 15 / 16))


def test_throughput_is_what_passed_since_the_look_before() -> None:
    path = TunnelPath()
    path.look(Counters(bytes_in=5000, bytes_out=7000), 10.0)
    assert (path.bits_in, path.bits_out) == (0, 0)
    path.look(Counters(bytes_in=6000, bytes_out=7000), 14.0)
    assert (path.bits_in, path.bits_out) == (2000, 0)


def test_control_connections_are_measured_when_they_are_heard() -> None:
    meter = PathMeter()
    meter.control_heard(TcpPath(0.02, 0.001, 3), TcpPath())
    meter.control_heard(TcpPath(0.0, 0.0, 3), TcpPath(0.02, 0.001, 3))
    meter.control_ended(TcpPath(0.02, 0.001, 5), TcpPath(0.02, 0.001, 3))
    meter.control_ended(TcpPath(), TcpPath(0.02, 0.001, 5))
    assert meter.retransmits == 5
    assert (meter.control.read().buckets[-1][1], meter.control.read().total) == (1, 0.02)
    assert meter.control_jitter.read().total == 0.001


@pytest.mark.asyncio
async def test_a_session_tells_both_paths(world, crowd) -> None:
    await crowd.up()
    world.counts(echoes_answered=1, round_trip_time=0.02, bytes_in=100)
    subscriber = world.only()
    for moment, trip in ((0.0, 0.02), (10.0, 0.036)):
        world.counts(echoes_answered=1 + moment, round_trip_time=trip, bytes_in=int(100 * moment))
        world.gateway.paths.look(subscriber, world.gateway.counters(subscriber), 1000.0 + moment)
    (session,) = await world.api.sessions({})
    paths = session["paths"]
    assert (paths["tunnel_round_trip"], paths["tunnel_jitter"]) == (0.036, pytest.approx(0.001))
    assert 0 < paths["direct_round_trip"] < 5
    assert 0 < paths["direct_jitter"] < 5
    assert (paths["control_retransmits"], paths["bits_in"], paths["bits_out"]) == (0, 800, 0)
    connect = world.named("CONNECT")[0]
    assert 0 < connect["handshake_seconds"] < 5
    assert connect["retransmits"] == 0
