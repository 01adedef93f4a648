"""Fragments and complaints of routers, as the packet socket shows them."""

import socket
import struct

import pytest

from holdfast.network.fragments import FILTER, SNAP, Piece, TooBig, parse

PEER, HERE, ROUTER = "192.0.2.2", "192.0.2.1", "198.51.100.9"
GRE_HEADER = struct.pack("!BBHHH", 0x30, 0x81, 0x880B, 1000, 0x1234)
MORE, DF = 0x2000, 0x4000


def ip(source: str, target: str, protocol: int, payload: bytes, flags: int = 0, options: bytes = b"") -> bytes:
    head = struct.pack(
        "!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), 7, flags, 64, protocol, 0
    )
    return head + socket.inet_aton(source) + socket.inet_aton(target) + options + payload


def complaint(
    inner: bytes, mtu: int = 1400, code: int = 4, kind: int = 3, flags: int = 0, options: bytes = b""
) -> bytes:
    return ip(ROUTER, HERE, 1, struct.pack("!BBHHH", kind, code, 0, 0, mtu) + inner, flags, options)


def passes(packet: bytes) -> bool:
    """What the kernel would make of the filter: the machine of classic BPF, as far as it is used."""
    accumulator = index = at = 0
    while True:
        code, yes, no, operand = FILTER[at]
        at += 1
        match code:
            case 0x06:
                return operand == SNAP
            case 0x15:
                at += yes if accumulator == operand else no
            case 0x45:
                at += yes if accumulator & operand else no
            case 0x54:
                accumulator &= operand
            case 0xB1:
                index = (packet[operand] & 15) * 4
            case _:
                size, start = {0x30: (1, 0), 0x28: (2, 0), 0x50: (1, index), 0x48: (2, index)}[code]
                octets = packet[start + operand : start + operand + size]
                if len(octets) < size:
                    return False
                accumulator = int.from_bytes(octets)


SENT = ip(HERE, PEER, 47, GRE_HEADER[:8])


@pytest.mark.parametrize(
    ("packet", "sight"),
    [
        (ip(PEER, HERE, 47, GRE_HEADER + bytes(900), MORE), Piece(PEER, 0x1234, 928)),
        (ip(PEER, HERE, 47, GRE_HEADER + bytes(900), MORE, bytes(8)), Piece(PEER, 0x1234, 936)),
        (complaint(SENT), TooBig(ROUTER, PEER, 0x1234, 1400)),
        (complaint(SENT, 0, options=bytes(4)), TooBig(ROUTER, PEER, 0x1234, 0)),
    ],
)
def test_what_is_wanted(packet: bytes, sight: object) -> None:
    assert passes(packet)
    assert parse(packet[:SNAP]) == sight


@pytest.mark.parametrize(
    "packet",
    [
        ip(PEER, HERE, 47, GRE_HEADER + bytes(900)),
        ip(PEER, HERE, 47, GRE_HEADER + bytes(900), DF),
        ip(PEER, HERE, 47, bytes(100), MORE | 100),
        ip(PEER, HERE, 47, bytes(100), 100),
        ip(PEER, HERE, 17, GRE_HEADER, MORE),
        complaint(SENT, code=1),
        complaint(SENT, kind=11),
        complaint(SENT, flags=100),
        complaint(ip(HERE, PEER, 6, GRE_HEADER)),
        b"",
        b"\x45",
    ],
)
def test_what_is_not(packet: bytes) -> None:
    assert not passes(packet)


def test_nothing_is_made_of_packets_that_are_cut_short() -> None:
    for packet in (ip(PEER, HERE, 47, GRE_HEADER, MORE), complaint(SENT)):
        for length in range(len(packet)):
            assert parse(packet[:length]) is None
