"""Fragments of a server's GRE: which packets are such, and the filter that lets only them through."""

import struct
from ipaddress import IPv4Address

import pytest

from holdfast.dialer.fragments import GRE, HEADER, first_fragment, only_fragments

SERVER = IPv4Address("198.51.100.1")
MORE, DONT = 0x2000, 0x4000


def packet(place: int, *, length: int = 1300, protocol: int = GRE, source: IPv4Address = SERVER) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, length, 7, place, 64, protocol, 0)
    return head + source.packed + IPv4Address("192.0.2.2").packed


@pytest.mark.parametrize(
    ("octets", "size"),
    [
        (packet(MORE), 1300),
        (packet(0), None),
        (packet(DONT), None),
        (packet(160), None),
        (packet(MORE | 160), None),
        (packet(MORE, protocol=17), None),
        (packet(MORE)[:19], None),
        (b"", None),
    ],
)
def test_only_the_first_fragment_tells_a_size(octets: bytes, size: int | None) -> None:
    assert first_fragment(octets) == size


def run(program: list[tuple[int, int, int, int]], octets: bytes) -> int:
    """Run a filter as the kernel does (the instructions that it uses)."""
    accumulator, at = 0, 0
    while True:
        code, true, false, operand = program[at]
        at += 1
        match code:
            case 0x30:
                accumulator = octets[operand]
            case 0x28:
                accumulator = int.from_bytes(octets[operand : operand + 2])
            case 0x20:
                accumulator = int.from_bytes(octets[operand : operand + 4])
            case 0x15:
                at += true if accumulator == operand else false
            case 0x45:
                at += true if accumulator & operand else false
            case 0x06:
                return operand


@pytest.mark.parametrize(
    ("octets", "passes"),
    [
        (packet(MORE), True),
        (packet(160), True),
        (packet(0), False),
        (packet(DONT), False),
        (packet(MORE, protocol=6), False),
        (packet(MORE, source=IPv4Address("198.51.100.2")), False),
    ],
)
def test_the_filter(octets: bytes, passes: bool) -> None:
    assert run(only_fragments(SERVER), octets) == (HEADER if passes else 0)
