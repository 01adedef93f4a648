"""What the engine makes of sequence numbers, coherency counts and strangers."""

import socket
import struct
import time

import pytest

from holdfast._native import gre_build
from holdfast.dataplane.interface import CallPath, MppeMode, UpcallKind
from lab.network import Namespace
from support.engine_lab import (
    CALL,
    FAR_CALL,
    FAR_INNER,
    FAR_OUTER,
    GAP_PATIENCE,
    INNER,
    IP,
    OUTER,
    Bench,
    port,
    received,
    strays,
    udp,
    wait_until,
)

pytestmark = pytest.mark.root


# --- sequence numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1, 0xFFFFFFFC])
def test_order_is_restored_and_duplicates_are_dropped(bench: Bench, first: int) -> None:
    bench.far.sequence = first
    bench.open(bits=128)
    inner = bench.udp_socket()
    packets = [bench.far.packet(bench.far.frame(IP, udp(port(inner), b"%d" % number))) for number in range(10)]
    for number in (0, 3, 1, 1, 2, 2, 4, 9, 8, 7, 6, 5, 9):
        bench.far.put(packets[number])
    assert received(inner, 10) == [b"%d" % number for number in range(10)]
    wait_until(lambda: bench.engine.counters(bench.handle).gre_duplicates == 3)
    counters = bench.engine.counters(bench.handle)
    assert counters.gre_lost == 0
    assert counters.gre_reordered == 6
    assert counters.drops == {"duplicate": 3}


def test_a_gap_is_given_up_after_a_while(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket()
    packets = [bench.far.packet(bench.far.frame(IP, udp(port(inner), b"%d" % number))) for number in range(6)]
    started = time.monotonic()
    bench.far.put(packets[0])
    bench.far.put(packets[3])
    bench.far.put(packets[5])
    assert received(inner, 3) == [b"0", b"3", b"5"]
    assert time.monotonic() - started > GAP_PATIENCE / 2
    bench.far.put(packets[1])
    wait_until(lambda: bench.drops() == {"late": 1})
    assert bench.engine.counters(bench.handle).gre_lost == 3


def test_a_large_gap_does_not_wait(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket()
    packets = [bench.far.packet(bench.far.frame(IP, udp(port(inner), b"%d" % number))) for number in range(600)]
    bench.far.put(packets[0])
    for number in (2, 599):
        bench.far.put(packets[number])
    assert received(inner, 3) == [b"0", b"2", b"599"]
    assert bench.engine.counters(bench.handle).gre_lost == 597


def test_payload_without_a_number_is_dropped(bench: Bench) -> None:
    bench.open()
    bench.far.put(gre_build(CALL, None, None, b"\xff\x03\xc0\x21\x01\x01\x00\x04"))
    wait_until(lambda: bench.drops() == {"no_sequence": 1})


def test_a_peer_that_starts_its_numbers_over_is_followed(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket()
    bench.far.sequence = 1_000_000
    bench.far.send(IP, udp(port(inner), b"before"))
    assert inner.recv(100) == b"before"
    bench.far.sequence = 0
    for number in range(40):
        bench.far.send(IP, udp(port(inner), b"%d" % number))
    assert received(inner, 25) == [b"%d" % number for number in range(15, 40)]


# --- MPPE ------------------------------------------------------------------------------------------------------


def test_stateful_loss_asks_for_a_reset_once(bench: Bench) -> None:
    bench.open(bits=128, mode=MppeMode.STATEFUL)
    inner = bench.udp_socket()
    packets = [bench.far.packet(bench.far.frame(IP, udp(port(inner), b"%d" % number))) for number in range(6)]
    for number in (0, 2, 3, 4):
        bench.far.put(packets[number])
    assert inner.recv(100) == b"0"
    bench.upcalls(UpcallKind.MPPE_DESYNC, 1)
    wait_until(lambda: bench.drops() == {"mppe_coherency": 3})
    assert bench.engine.poll() == []
    assert bench.far.cipher
    bench.far.cipher.reset()
    bench.far.send(IP, udp(port(inner), b"healed"))
    assert inner.recv(100) == b"healed"
    assert bench.engine.counters(bench.handle).mppe_resets == 1


def test_our_reset_is_understood(bench: Bench) -> None:
    bench.open(bits=128, mode=MppeMode.STATEFUL)
    assert bench.far.opener
    for number in range(5):
        bench.engine.inject(bench.handle, udp(9, b"%d" % number, INNER, FAR_INNER))
    payloads = [bench.far.receive()[2] for _ in range(5)]
    assert bench.far.opener.decrypt(payloads[0][1:])
    assert bench.far.opener.decrypt(payloads[3][1:]) is None
    bench.engine.reset_mppe_send(bench.handle)
    bench.engine.inject(bench.handle, udp(9, b"after", INNER, FAR_INNER))
    assert bench.far.receive_frame().endswith(b"after")


def test_encrypted_garbage_costs_counters_only(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket()
    bench.far.send(IP, udp(port(inner), b"first"))
    for count in range(1, 60):
        header = struct.pack("!H", 0x9000 | count)
        bench.far.put(bench.far.packet(b"\x00\xfd" + header + bytes(64)))
    wait_until(lambda: bench.engine.counters(bench.handle).gre_packets_in == 60)
    assert bench.upcalls(UpcallKind.MPPE_DESYNC, 1)
    wait_until(lambda: sum(bench.drops().values()) == 59)
    assert set(bench.drops()) <= {"mppe_garbled", "mppe_coherency"}


def test_encrypted_packets_without_a_key_are_dropped(bench: Bench) -> None:
    bench.open()
    bench.far.encrypt()
    bench.far.send(IP, udp(9, b"x"))
    wait_until(lambda: bench.drops() == {"mppe_not_ready": 1})


# --- strangers -------------------------------------------------------------------------------------------------


def test_a_flood_for_unknown_calls_costs_a_counter(bench: Bench) -> None:
    bench.open()
    inner = bench.udp_socket()
    for number in range(10_000):
        bench.far.put(gre_build(1000 + number % 60_000, 0, None, b"\xff\x03\xc0\x21\x01\x01\x00\x04"))
    wait_until(lambda: bench.engine.totals().drops.get("unknown_call", 0) == 10_000, 10)
    upcalls = bench.engine.poll(20_000)
    assert 1 <= len(upcalls) <= 40
    assert {(upcall.kind, upcall.handle, upcall.peer) for upcall in upcalls} == {
        (UpcallKind.UNKNOWN_CALL, 0, FAR_OUTER)
    }
    bench.far.send(IP, udp(port(inner), b"still here"))
    assert inner.recv(100) == b"still here"


def test_another_host_cannot_speak_for_a_call(bench: Bench) -> None:
    handle = bench.engine.add_call(CallPath(CALL + 5, 6, OUTER, "192.0.2.99"))
    bench.far.put(gre_build(CALL + 5, 0, None, b"\xff\x03\xc0\x21\x01\x01\x00\x04"))
    upcall = bench.upcalls(UpcallKind.WRONG_PEER, 1)[0]
    assert (upcall.handle, upcall.value, upcall.peer) == (handle, CALL + 5, FAR_OUTER)
    assert strays(bench) == {"wrong_peer": 1}
    assert bench.engine.counters(handle).gre_packets_in == 0


def test_what_is_not_enhanced_gre_is_malformed(bench: Bench) -> None:
    for octets in (b"", b"\x30", b"\x00\x00\x08\x00", bytes(40), gre_build(CALL, 0, None, bytes(50))[:-1]):
        bench.far.put(octets)
    wait_until(lambda: strays(bench) == {"malformed": 5})


def test_the_address_that_was_dialled_answers(spaces: tuple[Namespace, Namespace]) -> None:
    bench = Bench(*spaces)
    try:
        handle = bench.engine.add_call(CallPath(CALL + 7, FAR_CALL, "192.0.2.7", FAR_OUTER))
        bench.engine.send(handle, b"\xc0\x21\x05\x01\x00\x04")
        octets = bench.far.raw.recv(4096)
        assert socket.inet_ntoa(octets[12:16]) == "192.0.2.7"
    finally:
        bench.close()
