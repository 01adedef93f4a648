"""GRE: reading never raises, writing reads back, and what comes out of the reorderer is in order."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.gre.codec import GreFault, GrePacket, build, read, read_header
from holdfast.gre.window import MODULUS, Reorderer, SendWindow, ahead_of

NUMBER = st.none() | st.integers(0, MODULUS - 1)
HEAD = st.sampled_from([b"\x30\x01\x88\x0b", b"\x30\x81\x88\x0b", b"\x20\x81\x88\x0b", b"\x20\x01\x88\x0b"])


@settings(deadline=None)
@given(octets=st.binary(max_size=40) | st.tuples(HEAD, st.binary(max_size=30)).map(b"".join))
def test_any_octets(octets: bytes) -> None:
    packet, header = read(octets), read_header(octets)
    if isinstance(packet, GreFault):
        assert packet is GreFault.PAYLOAD_CUT or packet is header
    else:
        assert not isinstance(header, GreFault)
        assert len(packet.payload) == header.payload_length
        assert read(build(packet)) == packet


@settings(deadline=None)
@given(packet=st.builds(GrePacket, st.integers(0, 0xFFFF), NUMBER, NUMBER, st.binary(max_size=100)))
def test_written_packets_read_back(packet: GrePacket) -> None:
    assert read(build(packet)) == packet


@settings(deadline=None, max_examples=200)
@given(
    start=st.sampled_from([0, 1, MODULUS - 10]),
    jumps=st.lists(st.integers(0, 8), max_size=60),
    limit=st.integers(0, 6),
    repeats=st.integers(1, 3),
)
def test_reordering(start: int, jumps: list[int], limit: int, repeats: int) -> None:
    """Each packet is delayed by up to eight places; all come out once and in order, or late ones not at all."""
    order = sorted(range(len(jumps)), key=lambda index: (index + jumps[index], index))
    reorderer, out = Reorderer(limit), list[int]()
    for index in order:
        number = (start + index) % MODULUS
        for _ in range(repeats):
            out += [int(payload) for payload in reorderer.take(number, str(number).encode())]
            assert reorderer.held <= limit
    out += [int(payload) for payload in reorderer.release()]
    assert all(ahead_of(later, earlier) > 0 for earlier, later in pairwise(out))
    if limit >= 6 and not any(jumps):
        assert len(out) == len(jumps)


@settings(deadline=None)
@given(actions=st.lists(st.none() | st.integers(0, MODULUS - 1) | st.integers(0, 20), max_size=60))
def test_acknowledgments(actions: list[int | None]) -> None:
    window = SendWindow(memory=8)
    for now, number in enumerate(actions):
        if number is None:
            window.send(float(now))
        else:
            sample = window.acknowledge(number, float(now))
            assert sample is None or 0 <= sample <= now
        assert 0 <= window.outstanding <= window.next_number
