"""The packet engine on a real TUN device and real raw sockets, against a far end played by hand: frames and packets."""

import select
import socket
import struct
import time

import pytest

from holdfast._native import gre_build
from holdfast.dataplane.interface import CallPath, MppeMode, UpcallKind
from support.engine_lab import (
    CALL,
    FAR_CALL,
    FAR_INNER,
    FAR_INNER6,
    FAR_OUTER,
    INNER,
    IP,
    IPV6,
    LCP,
    OTHER_INNER,
    OUTER,
    Bench,
    inside,
    ipv4,
    port,
    tcp_syn,
    udp,
    wait_until,
)
from support.patience import once_in

pytestmark = pytest.mark.root
MODES = [(128, MppeMode.STATELESS), (128, MppeMode.STATEFUL), (56, MppeMode.STATELESS), (40, MppeMode.STATEFUL)]


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

    def half_a_window() -> float:
        last = bench.far.sequence + 31
        for _ in range(32):
            bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
        started, heard = time.monotonic(), 0
        while heard != last:
            number, heard, _ = bench.far.receive()
            assert number is None
        return time.monotonic() - started

    took = once_in(20, half_a_window, lambda seconds: seconds < 0.09)
    assert took < 0.09, "half a window must not wait for the delayed acknowledgement"


def test_one_call_cannot_crowd_out_python(bench: Bench) -> None:
    for _ in range(200):
        bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
    # Counted first, told second: the next packet is counted after all of these were told.
    bench.far.put(gre_build(CALL, None, 0, b""))
    wait_until(lambda: bench.engine.counters(bench.handle).gre_packets_in == 201)
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
    wait_until(lambda: bench.engine.counters(bench.handle).packets_out == 300)
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
    capture.settimeout(60)
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
