import ctypes
import os
import socket
import struct

import pytest

from holdfast.errors import HoldfastError
from holdfast.watch.bpf import GRE_SNAP, IPV4, IPV6, PPPOE, QINQ, VLAN, WHOLE_SNAP, host_address, program
from support.scene import CLIENT, SERVER, gre, ip

TCP_TO, TCP_FROM, TCP_OTHER = (struct.pack("!HH", *ports) + bytes(16) for ports in ((9, 1723), (1723, 9), (80, 9)))


def run(code: bytes, octets: bytes, ether_type: int) -> int:
    """Return how many octets the filter keeps: an interpreter of classic BPF, as far as it is used."""
    lines = list(struct.iter_unpack("=HBBI", code))
    a = x = at = 0
    while True:
        what, yes, no, k = lines[at]
        at += 1
        if what == 0x06:
            return int(k)
        if what in (0x20, 0x28, 0x30, 0x40, 0x48, 0x50):
            if k == 0xFFFFF000:
                a = ether_type
                continue
            size = {0x00: 4, 0x08: 2, 0x10: 1}[what & 0x18]
            start = k + (x if what & 0x40 else 0)
            if start + size > len(octets):
                return 0
            a = int.from_bytes(octets[start : start + size])
        elif what in (0x15, 0x45):
            at += yes if (a == k if what == 0x15 else a & k) else no
        else:
            a = {0x00: k, 0x54: a & k, 0x64: a << k, 0x0C: a + x, 0x07: a}[what]
            x = a if what == 0x07 else x


def v6(next_header: int, payload: bytes) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, 64) + bytes(32) + payload


WANTED = [
    (ip(CLIENT, SERVER, 47, gre(1, b"x", 1)), GRE_SNAP),
    (ip(CLIENT, SERVER, 6, TCP_TO), WHOLE_SNAP),
    (ip(CLIENT, SERVER, 6, TCP_FROM), WHOLE_SNAP),
    (ip(CLIENT, SERVER, 1, b"\x03\x02" + bytes(30)), WHOLE_SNAP),
    (ip(CLIENT, SERVER, 1, b"\x0b\x00" + bytes(30)), WHOLE_SNAP),
]
UNWANTED = [
    ip(CLIENT, SERVER, 6, TCP_OTHER),
    ip(CLIENT, SERVER, 17, TCP_TO),
    ip(CLIENT, SERVER, 1, b"\x08\x00" + bytes(30)),
    b"",
    b"\x45",
    bytes(60),
]
TAGS = [
    (IPV4, b""),
    (VLAN, b"\x00\x07\x08\x00"),
    (QINQ, b"\x00\x07\x81\x00\x00\x08\x08\x00"),
    (PPPOE, b"\x11\x00\x00\x01\x00\x40\x00\x21"),
    (VLAN, b"\x00\x07\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21"),
]


@pytest.mark.parametrize(("ether_type", "tag"), TAGS)
def test_both_channels_and_errors_behind_every_tag(ether_type: int, tag: bytes) -> None:
    for packet, kept in WANTED:
        assert run(program(), tag + packet, ether_type) == kept
    for packet in UNWANTED:
        assert run(program(), tag + packet, ether_type) == 0


def test_a_later_fragment_of_gre_is_kept_and_one_of_tcp_is_not() -> None:
    for protocol, kept in ((47, GRE_SNAP), (6, 0)):
        packet = bytearray(ip(CLIENT, SERVER, protocol, TCP_TO))
        packet[6:8] = b"\x00\x20"
        assert run(program(), bytes(packet), IPV4) == kept


def test_version_6() -> None:
    assert run(program(), v6(47, gre(1, b"x", 1)), IPV6) == GRE_SNAP
    assert run(program(), v6(6, TCP_TO), IPV6) == WHOLE_SNAP
    assert run(program(), v6(6, TCP_FROM), IPV6) == WHOLE_SNAP
    assert run(program(), v6(6, TCP_OTHER), IPV6) == 0
    assert run(program(), v6(58, b"\x02" + bytes(20)), IPV6) == WHOLE_SNAP
    assert run(program(), v6(58, b"\x88" + bytes(20)), IPV6) == 0
    assert run(program(), v6(44, b"\x2f" + bytes(20)), IPV6) == GRE_SNAP
    assert run(program(), v6(44, b"\x11" + bytes(20)), IPV6) == 0
    assert run(program("192.0.2.1"), v6(47, gre(1, b"x", 1)), IPV6) == 0


def test_one_host() -> None:
    packet = ip(CLIENT, SERVER, 47, gre(1, b"x", 1))
    assert run(program(CLIENT), packet, IPV4) == GRE_SNAP
    assert run(program(SERVER), packet, IPV4) == GRE_SNAP
    assert run(program("192.0.2.99"), packet, IPV4) == 0
    assert run(program(), packet, 0x0806) == 0


@pytest.mark.root
def test_the_kernel_takes_it() -> None:
    for host in ("", "192.0.2.1"):
        octets = program(host)
        buffer = ctypes.create_string_buffer(octets)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", len(octets) // 8, ctypes.addressof(buffer)))
    assert os.geteuid() == 0


def test_addresses() -> None:
    assert host_address("192.0.2.1") == "192.0.2.1"
    with pytest.raises(HoldfastError, match="no IPv4 address"):
        host_address("2001:db8::1")


def test_another_port() -> None:
    there = struct.pack("!HH", 9, 7723) + bytes(16)
    for version, packet in ((IPV4, ip(CLIENT, SERVER, 6, there)), (IPV6, v6(6, there))):
        assert run(program(port=7723), packet, version) == WHOLE_SNAP
        assert run(program(), packet, version) == 0
    assert run(program(port=7723), ip(CLIENT, SERVER, 6, TCP_TO), IPV4) == 0
