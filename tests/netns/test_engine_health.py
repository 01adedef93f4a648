"""What the engine notices of a session's health: silence, idleness, and what the peer owes."""

import time
from collections.abc import Iterator

import pytest

from holdfast._native import gre_build
from holdfast.dataplane.interface import Keepalive, UpcallKind
from lab.network import join, namespace
from support.engine_lab import (
    CALL,
    FAR_INNER,
    FAR_OUTER,
    INNER,
    IP,
    LCP,
    OUTER,
    Bench,
    ipv4,
    udp,
    wait_until,
)
from support.patience import once_in

pytestmark = pytest.mark.root

PING = b"\x08\x00\xf7\xff\x00\x00\x00\x00"
ECHO_REPLY = b"\x0a%c\x00\x08\x22\x22\x22\x22"


@pytest.fixture
def bench() -> Iterator[Bench]:
    with namespace("engine") as near, namespace("far") as far:
        join(near, f"{OUTER}/24", far, f"{FAR_OUTER}/24", label="cable")
        bench = Bench(near, far)
        bench.open()
        yield bench
        bench.close()


@pytest.mark.parametrize(("interval", "failures"), [(0.4, 3), (1.0, 2), (1.5, 1)])
@pytest.mark.parametrize("adaptive", [True, False])
def test_a_dead_peer_is_noticed_in_time(bench: Bench, interval: float, failures: int, adaptive: bool) -> None:
    def seconds_until_dead() -> tuple[float, int]:
        """Answer one echo and no other; return how long it took, and how many were sent."""
        before = bench.engine.counters(bench.handle)
        bench.engine.set_keepalive(bench.handle, Keepalive(interval, failures, adaptive))
        request = bench.far.receive_frame()
        bench.far.send(LCP, ECHO_REPLY % request[3])
        cut_off = time.monotonic()
        wait_until(lambda: bench.engine.counters(bench.handle).echoes_answered == before.echoes_answered + 1)
        told = bench.upcalls(UpcallKind.DEAD, 1)
        took = time.monotonic() - cut_off
        assert told[0].value == failures
        for _ in range(failures):
            assert bench.far.receive_frame()[:3] == LCP + b"\x09"
        return took, bench.engine.counters(bench.handle).echoes_sent - before.echoes_sent

    def in_time(found: tuple[float, int]) -> bool:
        return found[0] < interval * failures + 1 and found[1] == 1 + failures

    took, sent = once_in(3, seconds_until_dead, in_time)
    assert interval * failures < took + 0.05
    assert took < interval * failures + 1
    assert sent == 1 + failures


def test_an_answer_to_the_last_echo_is_in_time(bench: Bench) -> None:
    def is_asked_again() -> bool:
        """Answer two echoes late, but in time; return whether a third one comes."""
        bench.engine.set_keepalive(bench.handle, Keepalive(1.0, 1))
        try:
            for _ in range(2):
                request = bench.far.receive_frame(10)
                time.sleep(0.3)  # a second is what the last one is given
                bench.far.send(LCP, ECHO_REPLY % request[3])
            return bench.far.receive_frame(10)[:3] == LCP + b"\x09"
        except TimeoutError:
            return False

    assert once_in(3, is_asked_again, bool)


def used(bench: Bench) -> float:
    return bench.engine.counters(bench.handle).last_user_in


def test_what_hosts_say_by_themselves_is_no_use(bench: Bench) -> None:
    for packet in (
        udp(137, b"x", destination="10.9.0.255"),
        udp(5353, b"x", destination="224.0.0.251"),
        udp(9, b"x", destination="255.255.255.255"),
        ipv4(FAR_INNER, "224.0.0.22", 2, b"\x16\0\0\0\0\0\0\0"),
    ):
        bench.far.send(IP, packet)
    wait_until(lambda: bench.engine.counters(bench.handle).packets_in == 4)
    assert used(bench) == 0
    bench.far.send(IP, ipv4(FAR_INNER, INNER, 1, PING))
    wait_until(lambda: used(bench) > 0)


def test_use_towards_the_peer(bench: Bench) -> None:
    opened = bench.udp_socket()
    opened.sendto(b"x", (FAR_INNER, 137))
    wait_until(lambda: bench.engine.counters(bench.handle).packets_out == 1)
    assert bench.engine.counters(bench.handle).last_user_out == 0
    opened.sendto(b"x", (FAR_INNER, 4000))
    wait_until(lambda: bench.engine.counters(bench.handle).last_user_out > 0)


def test_what_the_peer_owes(bench: Bench) -> None:
    def owed() -> float:
        return bench.engine.counters(bench.handle).unacknowledged_since

    begun = time.monotonic()
    for _ in range(3):
        bench.engine.send(bench.handle, LCP + b"\x0b\x01\x00\x08\0\0\0\0")
    last = [bench.far.receive()[0] for _ in range(3)][-1]
    assert owed() == 0, "a peer that never acknowledges is not judged"
    bench.far.put(gre_build(CALL, None, last - 1, b""))
    wait_until(lambda: owed() > 0)
    assert begun - 0.01 <= owed() <= time.monotonic()
    bench.far.put(gre_build(CALL, None, last, b""))
    wait_until(lambda: owed() == 0)
    sent = time.monotonic()
    bench.engine.send(bench.handle, LCP + b"\x0b\x01\x00\x08\0\0\0\0")
    wait_until(lambda: owed() > 0)
    assert owed() >= sent - 0.01


def test_pings_of_heartbeat_hosts_are_no_use() -> None:
    with namespace("engine") as near, namespace("far") as far:
        join(near, f"{OUTER}/24", far, f"{FAR_OUTER}/24", label="cable")
        bench = Bench(near, far, heartbeats=(INNER,))
        bench.open()
        bench.far.send(IP, ipv4(FAR_INNER, INNER, 1, PING))
        wait_until(lambda: bench.engine.counters(bench.handle).packets_in == 1)
        assert used(bench) == 0
        bench.close()
