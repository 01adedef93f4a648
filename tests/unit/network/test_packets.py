"""Packets that the dialer makes and picks out."""

from ipaddress import IPv4Address

import pytest

from holdfast.network.packets import (
    Datagram,
    EchoReply,
    echo_request,
    internet_checksum,
    read_datagram,
    read_echo_reply,
    udp_packet,
)

HERE, THERE = IPv4Address("10.0.0.2"), IPv4Address("10.0.0.1")


def test_the_checksum_of_rfc_1071() -> None:
    # RFC 1071 section 3, the numerical example.
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF
    assert internet_checksum(b"\x01") == 0xFEFF


def test_a_datagram_comes_back_as_it_went() -> None:
    packet = udp_packet(HERE, THERE, 68, 67, b"hello")
    assert internet_checksum(packet[:20]) == 0
    assert read_datagram(packet) == Datagram(HERE, 68, 67, b"hello")
    assert read_echo_reply(packet) is None


def test_the_udp_checksum_covers_the_pseudo_header() -> None:
    packet = udp_packet(HERE, THERE, 68, 67, b"odd")
    pseudo = HERE.packed + THERE.packed + bytes((0, 17)) + len(packet[20:]).to_bytes(2)
    assert internet_checksum(pseudo + packet[20:]) == 0


def test_an_echo_and_its_reply() -> None:
    request = echo_request(HERE, THERE, 7, 9, size=5)
    assert internet_checksum(request[20:]) == 0
    assert request[6:8] == b"\x40\x00", "DF is set"
    assert read_echo_reply(request) is None, "a request is no reply"
    reply = request[:20] + b"\0" + request[21:]
    assert read_echo_reply(reply) == EchoReply(HERE, 7, 9)


@pytest.mark.parametrize("cut", range(33))
def test_what_is_cut_short_is_nothing(cut: int) -> None:
    assert read_datagram(udp_packet(HERE, THERE, 68, 67, b"hello")[:cut]) is None


def test_fragments_and_other_versions_are_nothing() -> None:
    packet = bytearray(udp_packet(HERE, THERE, 68, 67, b"hello"))
    packet[6] = 0x20
    assert read_datagram(bytes(packet)) is None
    packet[6], packet[0] = 0x40, 0x65
    assert read_datagram(bytes(packet)) is None
    packet[0] = 0x44
    assert read_datagram(bytes(packet)) is None
