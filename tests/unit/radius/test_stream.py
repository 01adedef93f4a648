"""Packets out of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.radius.stream import PacketStream
from holdfast.wire.errors import MalformedError


def packet(size: int) -> bytes:
    return bytes((2, 1)) + size.to_bytes(2) + b"x" * (size - 4)


@given(st.lists(st.integers(20, 300), max_size=8), st.lists(st.integers(0, 60), max_size=60))
def test_any_cuts_give_the_same_packets(sizes: list[int], cuts: list[int]) -> None:
    packets = [packet(size) for size in sizes]
    octets, stream, found = b"".join(packets), PacketStream(), []
    for cut in cuts:
        found += stream.feed(octets[:cut])
        octets = octets[cut:]
    assert found + stream.feed(octets) == packets


@pytest.mark.parametrize("length", [0, 4, 19, 4097, 65535])
def test_a_length_that_cannot_be_ends_it(length: int) -> None:
    stream = PacketStream()
    assert stream.feed(packet(20) + b"\2\1") == [packet(20)]
    with pytest.raises(MalformedError, match=str(length)):
        stream.feed(length.to_bytes(2))


@given(st.binary(max_size=9000))
def test_noise_holds_no_more_than_a_packet(noise: bytes) -> None:
    stream = PacketStream()
    try:
        found = stream.feed(noise)
    except MalformedError:
        return
    assert len(noise) - sum(map(len, found)) < 4096
