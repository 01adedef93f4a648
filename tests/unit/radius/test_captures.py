"""Public captures of RADIUS, good and fuzzed: nothing in them makes us stumble."""

import struct
from collections.abc import Iterator

import pytest

from holdfast.radius.attributes import describe
from holdfast.radius.codes import Code
from holdfast.radius.dynamic import Answered, DynamicServer
from holdfast.radius.packet import PacketFault, read_packet, read_reply, read_request, verify_access_request
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError
from support.captures import capture_path

pytestmark = pytest.mark.captures
SHARED = Secret(b"testing123")
BEFORE_UDP_PAYLOAD = 42
"""Octets of Ethernet, IPv4 without options, and UDP."""


def payloads(name: str) -> Iterator[bytes]:
    """Yield what stands behind the headers of each packet in a pcap or pcapng of little-endian order."""
    octets = capture_path(name).read_bytes()
    packets = _pcapng(octets) if octets[:4] == b"\x0a\x0d\x0d\x0a" else _pcap(octets)
    yield from (packet[BEFORE_UDP_PAYLOAD:] for packet in packets)


def _pcap(octets: bytes) -> Iterator[bytes]:
    at = 24
    while at + 16 <= len(octets):
        (length,) = struct.unpack("<I", octets[at + 8 : at + 12])
        yield octets[at + 16 : at + 16 + length]
        at += 16 + length


def _pcapng(octets: bytes) -> Iterator[bytes]:
    at = 0
    while at + 12 <= len(octets):
        kind, length = struct.unpack("<II", octets[at : at + 8])
        if kind == 6:  # Enhanced Packet Block
            (captured,) = struct.unpack("<I", octets[at + 20 : at + 24])
            yield octets[at + 28 : at + 28 + captured]
        at += max(length, 12)


def test_a_fuzzed_capture_harms_nobody():
    server = DynamicServer({"192.0.2.10": SHARED}, "holdfast")
    seen = 0
    for octets in payloads("nDPI__fuzz-2020-02-16-11740_radius.pcap"):
        seen += 1
        assert isinstance(read_request(octets, SHARED), PacketFault)
        assert isinstance(read_reply(octets, bytes(16), SHARED), PacketFault)
        assert isinstance(verify_access_request(octets, SHARED), PacketFault)
        assert isinstance(server.receive(octets, ("192.0.2.10", 1), 0.0), Answered)
    assert seen > 10


def test_packets_of_real_servers_are_read_and_shown():
    known = 0
    for octets in payloads("libtrace__radius.pcap"):
        try:
            packet = read_packet(octets)
        except MalformedError:
            continue
        known += packet.code in set(Code)
        assert all(describe(one) for one in packet.attributes)
    assert known > 0
