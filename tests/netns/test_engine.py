"""The packet engine on a real TUN device and real raw sockets, against a far end that is played by hand."""

import select
import socket
import struct
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from holdfast._native import gre_build
from holdfast.dataplane.engine import MAX_MTU, Engine
from holdfast.dataplane.interface import CallPath, Keepalive, MppeMode, UpcallKind
from lab.network import Namespace, join, namespace
from support.engine_lab import (
    CALL,
    FAR_CALL,
    FAR_INNER,
    FAR_INNER6,
    FAR_OUTER,
    GAP_PATIENCE,
    INNER,
    IP,
    IPV6,
    LCP,
    OTHER_INNER,
    OUTER,
    Bench,
    inside,
    ipv4,
    tcp_syn,
    udp,
    wait_until,
)

pytestmark = pytest.mark.root
MODES = [(128, MppeMode.STATELESS), (128, MppeMode.STATEFUL), (56, MppeMode.STATELESS), (40, MppeMode.STATEFUL)]


@pytest.fixture(scope="module")
def spaces() -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a cable between them."""
    with namespace("engine") as near, namespace("far") as far:
        join(near, f"{OUTER}/24", far, f"{FAR_OUTER}/24", label="cable")
        near.ip("address", "add", "192.0.2.7/24", "dev", "cable")
        yield near, far


@pytest.fixture
def bench(spaces: tuple[Namespace, Namespace]) -> Iterator[Bench]:
    """An engine and the far end of its one call."""
    made = Bench(*spaces)
    yield made
    made.close()


def received(opened: socket.socket, count: int) -> list[bytes]:
    """The next datagrams."""
    return [opened.recv(4096) for _ in range(count)]


def port(opened: socket.socket) -> int:
    """Where a socket listens."""
    return int(opened.getsockname()[1])


def strays(bench: Bench) -> dict[str, int]:
    """What was dropped in all, but for what the kernel itself sends into a new device."""
    return {cause: count for cause, count in bench.engine.totals().drops.items() if cause != "no_route"}


# --- frames between the far end and Python -------------------------------------------------------------------


def test_frames_go_up_without_framing_and_down_with_it(bench: Bench) -> None:
    bench.far.send(LCP, b"\x01\x01\x00\x04")
    bench.far.put(gre_build(CALL, 1, None, b"\x80\x21\x01\x02\x00\x04"))
    upcalls = bench.upcalls(UpcallKind.FRAME, 2)
    assert [upcall.frame for upcall in upcalls] == [b"\xc0\x21\x01\x01\x00\x04", b"\x80\x21\x01\x02\x00\x04"]
    assert {upcall.handle for upcall in upcalls} == {bench.handle}
    bench.engine.send(bench.handle, b"\xc0\x21\x02\x01\x00\x04")
    sequence, acknowledgement, payload = bench.far.receive()
    assert (sequence, acknowledgement, payload) == (0, 1, b"\xff\x03\xc0\x21\x02\x01\x00\x04")


def test_lcp_keeps_its_framing_whatever_was_agreed(bench: Bench) -> None:
    bench.open()
    bench.engine.send(bench.handle, b"\xc0\x21\x05\x01\x00\x04")
    bench.engine.send(bench.handle, b"\x80\x21\x05\x01\x00\x04")
    assert [bench.far.receive()[2][:3], bench.far.receive()[2][:3]] == [b"\xff\x03\xc0", b"\x80\x21\x05"]


def test_acknowledgements_alone_have_no_sequence_number(bench: Bench) -> None:
    bench.far.sequence = 5
    bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
    assert bench.far.receive() == (None, 5, b"")
    for _ in range(32):
        bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
    started = time.monotonic()
    assert bench.far.receive()[:2] == (None, 37)
    assert time.monotonic() - started < 0.09, "half a window must not wait for the delayed acknowledgement"


def test_one_call_cannot_crowd_out_python(bench: Bench) -> None:
    for _ in range(200):
        bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
    wait_until(lambda: bench.engine.counters(bench.handle).gre_packets_in == 200)
    assert len(bench.engine.poll(1000)) == 64
    assert bench.drops() == {"queue_full": 136}
    assert bench.engine.poll() == []
    bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
    bench.upcalls(UpcallKind.FRAME, 1)


def test_poll_in_portions_keeps_the_descriptor_readable(bench: Bench) -> None:
    for _ in range(5):
        bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
    wait_until(lambda: bench.engine.counters(bench.handle).gre_packets_in == 5)
    # Counted first, told second: the next packet is counted after all of these were told.
    bench.far.put(gre_build(CALL, None, 0, b""))
    wait_until(lambda: bench.engine.counters(bench.handle).gre_packets_in == 6)
    assert len(bench.engine.poll(3)) == 3
    assert select.select([bench.engine], [], [], 0)[0]
    assert len(bench.engine.poll(3)) == 2
    assert not select.select([bench.engine], [], [], 0)[0]


# --- user packets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "mode"), [(0, MppeMode.STATELESS), *MODES])
def test_user_packets_both_ways(bench: Bench, bits: int, mode: MppeMode) -> None:
    bench.open(bits=bits, mode=mode)
    inner = bench.udp_socket()
    for number in range(300):
        bench.far.send(IP, udp(port(inner), b"number %d" % number))
        assert inner.recv(100) == b"number %d" % number
        inner.sendto(b"answer %d" % number, (FAR_INNER, 4000))
        assert bench.far.receive_frame().endswith(b"answer %d" % number)
    counters = bench.engine.counters(bench.handle)
    assert (counters.packets_in, counters.packets_out, counters.drops) == (300, 300, {})
    assert counters.last_user_in > 0
    assert counters.last_user_out > 0
    assert counters.peer_ttl == 64


def test_ipv6_both_ways(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket(socket.AF_INET6)
    inner.sendto(b"hello", (FAR_INNER6, 4000))
    frame = bench.far.receive_frame()
    assert (frame[:3], frame[-5:]) == (b"\x00\x57\x60", b"hello")
    source, destination = frame[10:26], frame[26:42]
    datagram = frame[42:]
    swapped = datagram[2:4] + datagram[:2] + datagram[4:]
    bench.far.send(IPV6, frame[2:10] + destination + source + swapped)
    assert inner.recv(100) == b"hello"


def test_user_packets_before_the_network_phase_go_up(bench: Bench) -> None:
    packet = udp(9, b"early")
    bench.far.send(IP, packet)
    assert bench.upcalls(UpcallKind.FRAME, 1)[0].frame == IP + packet
    bench.engine.inject(bench.handle, packet)
    wait_until(lambda: bench.drops() == {"network_closed": 1})


def test_close_network_stops_user_packets_only(bench: Bench) -> None:
    bench.open()
    bench.engine.close_network(bench.handle)
    inner = bench.udp_socket()
    inner.sendto(b"x", (FAR_INNER, 4000))
    wait_until(lambda: bench.engine.totals().drops.get("no_route", 0) >= 1)
    bench.engine.send(bench.handle, b"\xc0\x21\x05\x01\x00\x04")
    assert bench.far.receive()[2] == b"\xff\x03\xc0\x21\x05\x01\x00\x04"


def test_clear_packets_are_dropped_where_encryption_is_required(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket()
    bench.far.put(bench.far.packet(b"\x00\x21" + udp(port(inner), b"clear")))
    bench.far.send(IP, udp(port(inner), b"encrypted"))
    assert inner.recv(100) == b"encrypted"
    assert bench.drops() == {"clear_text": 1}
    bench.engine.set_mppe(bench.handle, None, None)
    inner.sendto(b"must not leave", (FAR_INNER, 4000))
    wait_until(lambda: bench.drops() == {"clear_text": 2})


def test_spoofed_sources_are_dropped(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket()
    for source in (OTHER_INNER, INNER, "198.51.100.1"):
        bench.far.send(IP, udp(port(inner), b"spoofed", source=source))
    bench.far.send(IP, udp(port(inner), b"honest"))
    assert inner.recv(100) == b"honest"
    assert bench.drops() == {"spoofed_source": 3}


@pytest.mark.parametrize("packet", [b"", b"\x45", b"\x45" + bytes(18), b"\x60" + bytes(20), b"\x55" + bytes(60)])
def test_what_is_no_ip_packet_is_dropped(bench: Bench, packet: bytes) -> None:
    bench.open()
    bench.far.send(IP, packet)
    wait_until(lambda: bench.drops() == {"malformed": 1})


def test_packets_between_sessions_pass_the_kernel(bench: Bench) -> None:
    bench.open()
    other = bench.engine.add_call(CallPath(CALL + 1, FAR_CALL + 1, OUTER, FAR_OUTER))
    bench.engine.open_network(other, (OTHER_INNER,))
    bench.near.sysctl("net.ipv4.ip_forward", "1")
    bench.far.send(IP, udp(9, b"to a neighbour", destination=OTHER_INNER))
    wait_until(lambda: bench.engine.counters(other).packets_out == 1)
    bench.engine.remove_call(other)


def test_one_call_may_carry_what_no_other_has(bench: Bench) -> None:
    bench.open()
    bench.engine.open_network(bench.handle, ("0.0.0.0/0",))
    other = bench.engine.add_call(CallPath(CALL + 1, FAR_CALL + 1, OUTER, FAR_OUTER))
    bench.engine.open_network(other, (OTHER_INNER,))
    inner = bench.udp_socket()
    for destination in (OTHER_INNER, FAR_INNER, "10.9.0.200"):
        inner.sendto(b"to " + destination.encode(), (destination, 4000))
    assert [bench.far.receive_frame()[30:] for _ in range(2)] == [b"to 10.9.0.2", b"to 10.9.0.200"]
    wait_until(lambda: bench.engine.counters(other).packets_out == 1)
    bench.near.sysctl("net.ipv4.conf.all.rp_filter", "0")
    bench.far.send(IP, udp(port(inner), b"from elsewhere", source="10.9.0.77"))
    assert inner.recv(100) == b"from elsewhere"


def test_mss_is_clamped_both_ways(bench: Bench) -> None:
    bench.open(bits=128, mtu=1200)
    bench.engine.inject(bench.handle, tcp_syn(INNER, FAR_INNER, 1460))
    assert struct.unpack("!H", bench.far.receive_frame()[44:46])[0] == 1160
    bench.engine.inject(bench.handle, tcp_syn(INNER, FAR_INNER, 900))
    assert struct.unpack("!H", bench.far.receive_frame()[44:46])[0] == 900
    capture = inside(bench.near, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)))
    bench.sockets.append(capture)
    capture.bind((bench.engine.tun_name, 0x0800))
    capture.settimeout(2)
    bench.far.send(IP, tcp_syn(FAR_INNER, INNER, 1460))
    arrived = capture.recv(2000)
    assert struct.unpack("!H", arrived[42:44])[0] == 1160
    expected = tcp_syn(FAR_INNER, INNER, 1160)
    assert arrived == expected, "the checksum must fit the new MSS"


def test_too_big_with_df_is_answered_with_the_mtu(bench: Bench) -> None:
    bench.open(bits=128, mtu=1000)
    inner = bench.udp_socket()
    inner.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
    inner.sendto(bytes(1100), (FAR_INNER, 4000))
    wait_until(lambda: bench.drops() == {"too_big": 1})
    inner.connect((FAR_INNER, 4000))
    wait_until(lambda: inner.getsockopt(socket.IPPROTO_IP, 14) == 1000)  # IP_MTU
    with pytest.raises(OSError, match="too long"):
        inner.send(bytes(1100))


def test_too_big_ipv6_is_answered_with_the_mtu(bench: Bench) -> None:
    bench.open(mtu=1300)
    inner = bench.udp_socket(socket.AF_INET6)
    inner.connect((FAR_INNER6, 4000))
    inner.setsockopt(socket.IPPROTO_IPV6, 23, 2)  # IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO
    inner.send(bytes(1310))
    wait_until(lambda: bench.drops() == {"too_big": 1})
    wait_until(lambda: inner.getsockopt(socket.IPPROTO_IPV6, 24) == 1300)  # IPV6_MTU


def test_too_big_without_df_is_fragmented(bench: Bench) -> None:
    bench.open(bits=128, mtu=1000)
    data = bytes(range(256)) * 10
    bench.engine.inject(bench.handle, ipv4(INNER, FAR_INNER, 17, data[:2000]))
    fragments = [bench.far.receive_frame()[2:] for _ in range(3)]
    assert [len(fragment) for fragment in fragments] == [996, 996, 68]
    assert [struct.unpack("!H", fragment[6:8])[0] for fragment in fragments] == [0x2000, 0x2000 | 122, 244]
    assert b"".join(fragment[20:] for fragment in fragments) == data[:2000]


def test_tunnel_packets_beyond_the_path_are_fragmented(bench: Bench) -> None:
    bench.near.ip("link", "set", "cable", "mtu", "1200")
    try:
        bench.open(bits=128)
        bench.engine.inject(bench.handle, ipv4(INNER, FAR_INNER, 17, bytes(1380)))
        assert len(bench.far.receive_frame()) == 1402
        assert bench.drops() == {}
    finally:
        bench.near.ip("link", "set", "cable", "mtu", "1500")


def test_a_host_that_refuses_to_send_is_reported(bench: Bench) -> None:
    handle = bench.engine.add_call(CallPath(33, 44, OUTER, "203.0.113.9"))
    for _ in range(20):
        bench.engine.send(handle, b"\xc0\x21\x05\x01\x00\x04")
    upcall = bench.upcalls(UpcallKind.SEND_FAILED, 1)[0]
    assert (upcall.handle, upcall.value) == (handle, 101), "network unreachable"
    wait_until(lambda: bench.engine.counters(handle).drops == {"send_failed": 20})
    assert bench.engine.poll() == []


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
    counters = bench.engine.counters(bench.handle)
    assert (counters.gre_duplicates, counters.gre_lost) == (3, 0)
    assert counters.gre_reordered == 6
    assert counters.drops == {"duplicate": 3}


def test_a_gap_is_given_up_after_a_while(bench: Bench) -> None:
    bench.open(bits=128)
    inner = bench.udp_socket()
    packets = [bench.far.packet(bench.far.frame(IP, udp(port(inner), b"%d" % number))) for number in range(6)]
    bench.far.put(packets[0])
    bench.far.put(packets[3])
    bench.far.put(packets[5])
    started = time.monotonic()
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
    bench.engine.set_keepalive(bench.handle, Keepalive(0.2, 3))
    request = bench.far.receive_frame()
    assert request[:3] == LCP + b"\x09"
    bench.far.send(LCP, b"\x0a" + request[3:6] + b"\x22\x22\x22\x22")
    wait_until(lambda: bench.engine.counters(bench.handle).echoes_answered == 1)
    assert 0 < bench.engine.counters(bench.handle).round_trip_time < 0.5
    assert bench.engine.poll() == []
    missed = bench.upcalls(UpcallKind.ECHO_MISSED, 1)
    assert missed[0].value == 1
    bench.far.send(LCP, b"\x0b\x01\x00\x08\x22\x22\x22\x22")
    bench.upcalls(UpcallKind.ECHO_RECOVERED, 1)
    assert bench.upcalls(UpcallKind.DEAD, 1)[0].value == 3
    sent = bench.engine.counters(bench.handle).echoes_sent
    time.sleep(0.5)
    assert bench.engine.poll() == []
    assert bench.engine.counters(bench.handle).echoes_sent == sent, "the dead are asked no more"


def test_echoes_come_evenly_and_stop(bench: Bench) -> None:
    bench.open()
    bench.engine.set_keepalive(bench.handle, Keepalive(0.2, 100, adaptive=False))
    times = []
    for _ in range(5):
        bench.far.receive_frame()
        times.append(time.monotonic())
    assert all(abs(later - earlier - 0.2) < 0.1 for earlier, later in pairwise(times))
    bench.engine.set_keepalive(bench.handle, Keepalive(0, 3))
    with pytest.raises(TimeoutError):
        bench.far.receive_frame(0.5)


def test_adaptive_keepalive_is_silent_while_data_arrives(bench: Bench) -> None:
    bench.open()
    bench.engine.set_keepalive(bench.handle, Keepalive(0.3, 3))
    for _ in range(10):
        time.sleep(0.1)
        bench.far.send(LCP, b"\x0b\x01\x00\x08\x22\x22\x22\x22")
    assert bench.engine.counters(bench.handle).echoes_sent == 0
    assert bench.far.receive_frame(1)[:3] == LCP + b"\x09"


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
