"""The engine's LCP echo, and its table of calls."""

import time
from itertools import pairwise
from statistics import median

import pytest

from holdfast.dataplane.engine import MAX_MTU, Engine
from holdfast.dataplane.interface import CallPath, Keepalive, UpcallKind
from lab.network import Namespace
from support.engine_lab import (
    CALL,
    FAR_INNER,
    FAR_OUTER,
    IP,
    LCP,
    OTHER_INNER,
    OUTER,
    Bench,
    inside,
    port,
    strays,
    udp,
    wait_until,
)
from support.patience import once_in

pytestmark = pytest.mark.root


# --- LCP echo ------------------------------------------------------------------------------------------------


def test_echo_requests_are_answered_with_our_magic_number(bench: Bench) -> None:
    bench.far.send(LCP, b"\x09\x05\x00\x0a\x22\x22\x22\x22hi")
    assert bench.upcalls(UpcallKind.FRAME, 1), "before LCP is configured they are Python's"
    bench.open()
    bench.far.send(LCP, b"\x09\x06\x00\x0a\x22\x22\x22\x22hi-and-padding")
    assert bench.far.receive_frame() == LCP + b"\x0a\x06\x00\x0a\x11\x11\x11\x11hi"
    bench.far.send(LCP, b"\x09\x07\x00\x08\x11\x11\x11\x11")
    assert bench.upcalls(UpcallKind.FRAME, 1)[0].frame[2:4] == b"\x09\x07", "a loop is for Python to judge"


def test_keepalive_measures_and_declares_dead(bench: Bench) -> None:
    bench.open()
    bench.engine.set_keepalive(bench.handle, Keepalive(1.0, 3))
    request = bench.far.receive_frame()
    assert request[:3] == LCP + b"\x09"
    bench.far.send(LCP, b"\x0a" + request[3:6] + b"\x22\x22\x22\x22")
    wait_until(lambda: bench.engine.counters(bench.handle).echoes_answered == 1)
    assert 0 < bench.engine.counters(bench.handle).round_trip_time < 1.0
    assert bench.engine.poll() == []
    missed = bench.upcalls(UpcallKind.ECHO_MISSED, 1)
    assert missed[0].value == 1
    bench.far.send(LCP, b"\x0b\x01\x00\x08\x22\x22\x22\x22")
    bench.upcalls(UpcallKind.ECHO_RECOVERED, 1)
    assert bench.upcalls(UpcallKind.DEAD, 1)[0].value == 3
    sent = bench.engine.counters(bench.handle).echoes_sent
    time.sleep(1.5)
    assert bench.engine.poll() == []
    assert bench.engine.counters(bench.handle).echoes_sent == sent, "the dead are asked no more"


def test_echoes_come_evenly_and_stop(bench: Bench) -> None:
    bench.open()
    bench.engine.set_keepalive(bench.handle, Keepalive(0.2, 100, adaptive=False))
    times = []
    for _ in range(11):
        bench.far.receive_frame()
        times.append(time.monotonic())
    # A busy machine hears one or the other late, not most of them.
    assert abs(median(later - earlier for earlier, later in pairwise(times)) - 0.2) < 0.1
    bench.engine.set_keepalive(bench.handle, Keepalive(0, 3))
    time.sleep(0.2)
    sent = bench.engine.counters(bench.handle).echoes_sent
    time.sleep(0.5)
    assert bench.engine.counters(bench.handle).echoes_sent == sent


def test_adaptive_keepalive_is_silent_while_data_arrives(bench: Bench) -> None:
    bench.open()

    def echoes_beside_data() -> int:
        """Send something ten times a second, as far as this machine lets us; return how many echoes were sent."""
        before = bench.engine.counters(bench.handle).echoes_sent
        bench.engine.set_keepalive(bench.handle, Keepalive(1.5, 3))
        for _ in range(20):
            time.sleep(0.1)
            bench.far.send(LCP, b"\x0b\x01\x00\x08\x22\x22\x22\x22")
        return bench.engine.counters(bench.handle).echoes_sent - before

    assert once_in(3, echoes_beside_data, lambda sent: sent == 0) == 0
    assert bench.far.receive_frame()[:3] == LCP + b"\x09"


# --- the table of calls --------------------------------------------------------------------------------------


def test_calls_and_addresses_are_unique(bench: Bench) -> None:
    with pytest.raises(ValueError, match="another call"):
        bench.engine.add_call(CallPath(CALL, 99, OUTER, FAR_OUTER))
    other = bench.engine.add_call(CallPath(CALL, 99, OUTER, "192.0.2.3"))
    bench.open()
    with pytest.raises(ValueError, match=FAR_INNER):
        bench.engine.open_network(other, (FAR_INNER,))
    with pytest.raises(ValueError, match="address"):
        bench.engine.open_network(other, ())
    with pytest.raises(ValueError, match="not an IP address"):
        bench.engine.open_network(other, ("10.9.0",))
    bench.engine.open_network(bench.handle, (OTHER_INNER,))
    bench.engine.open_network(other, (FAR_INNER,))
    assert bench.engine.remove_call(other).drops == {}
    assert bench.engine.add_call(CallPath(CALL, 99, OUTER, "192.0.2.3")) not in {other, bench.handle}
    bench.engine.open_network(bench.handle, (FAR_INNER,))


def test_unknown_handles_raise_key_error(bench: Bench) -> None:
    bench.engine.remove_call(bench.handle)
    for use in (bench.engine.remove_call, bench.engine.counters, bench.engine.close_network):
        with pytest.raises(KeyError):
            use(bench.handle)
    with pytest.raises(KeyError):
        bench.engine.send(bench.handle, b"\xc0\x21")
    bench.far.send(LCP, b"\x01\x01\x00\x04")
    wait_until(lambda: strays(bench) == {"unknown_call": 1})


def test_removed_calls_stay_in_the_totals(bench: Bench) -> None:
    bench.open()
    inner = bench.udp_socket()
    bench.far.send(IP, udp(port(inner), b"x"))
    assert inner.recv(10) == b"x"
    last = bench.engine.remove_call(bench.handle)
    assert (last.packets_in, last.bytes_in, bench.engine.totals().packets_in) == (1, 29, 1)


def test_calls_that_were_let_go_of_are_removed_with_all_that_they_counted(bench: Bench) -> None:
    bench.open()
    inner = bench.udp_socket()
    bench.far.send(IP, udp(port(inner), b"x"))
    assert inner.recv(10) == b"x"
    others = [bench.engine.add_call(CallPath(CALL + 1 + number, 99, OUTER, FAR_OUTER)) for number in range(50)]
    for _ in range(2):
        bench.engine.let_go([bench.handle, *others, 10**6])
    bench.engine.send(bench.handle, b"\xc0\x21\x01\x01\x00\x04")
    last = bench.engine.remove_call(bench.handle)
    assert (last.packets_in, last.bytes_in, bench.engine.totals().packets_in) == (1, 29, 1)
    for other in others:
        bench.engine.remove_call(other)
    bench.engine.open_network(bench.engine.add_call(CallPath(CALL, 99, OUTER, FAR_OUTER)), (FAR_INNER,))


def test_close_releases_the_device_and_may_be_repeated(spaces: tuple[Namespace, Namespace]) -> None:
    near, _ = spaces
    engine = inside(near, lambda: Engine(tun_name="once", bind_addresses=(OUTER, "192.0.2.7")))
    assert "once" in near.interfaces()
    engine.close()
    engine.close()
    wait_until(lambda: "once" not in near.interfaces())
    with pytest.raises(RuntimeError, match="closed"):
        engine.add_call(CallPath(1, 1, OUTER, FAR_OUTER))
    with pytest.raises(OSError, match="assign"):
        inside(near, lambda: Engine(bind_addresses=("198.51.100.77",)))
    with pytest.raises(ValueError, match="MTU"):
        Engine(tun_mtu=MAX_MTU + 1)
