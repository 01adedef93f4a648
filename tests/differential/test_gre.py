"""The readable GRE and the Rust core say the same about the same octets."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import _native
from holdfast.gre.codec import GrePacket, build, parse
from holdfast.gre.window import MEMORY, MODULUS, REACH, ReceiveWindow

NUMBERS = st.none() | st.integers(0, MODULUS - 1)
PACKETS = st.builds(GrePacket, st.integers(0, 0xFFFF), NUMBERS, NUMBERS, st.binary(max_size=64))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good packet with an octet changed, cut short, or with padding behind it."""
    octets = bytearray(build(draw(PACKETS)))
    for _ in range(draw(st.integers(0, 2))):
        octets[draw(st.integers(0, min(len(octets), 16) - 1))] ^= 1 << draw(st.integers(0, 7))
    cut = draw(st.integers(0, len(octets)) | st.just(len(octets)))
    return bytes(octets[:cut]) + draw(st.binary(max_size=4))


def _reference(octets: bytes) -> tuple[int, int | None, int | None, bytes] | None:
    packet = parse(octets)
    return packet and (packet.call_id, packet.sequence, packet.acknowledgment, packet.payload)


@settings(deadline=None, max_examples=400)
@given(octets=damaged() | st.binary(max_size=32))
def test_parse(octets: bytes) -> None:
    assert _native.gre_parse(octets) == _reference(octets)


@settings(deadline=None, max_examples=200)
@given(packet=PACKETS)
def test_build(packet: GrePacket) -> None:
    octets = _native.gre_build(packet.call_id, packet.sequence, packet.acknowledgment, packet.payload)
    assert octets == build(packet)


@st.composite
def numbers(draw: st.DrawFn) -> list[int]:
    """A stream of sequence numbers that moves on, stumbles, repeats, wraps and starts over."""
    number = draw(st.sampled_from([0, 1, 5000, MODULUS - 3, MODULUS // 2 - 2]))
    steps = st.sampled_from(
        [1] * 6 + [0, -1, -2, 2, 3, 40, MEMORY - 1, -MEMORY, 1 - MEMORY, MEMORY, -5000, REACH, REACH + 1, 1 << 31]
    )
    stream = []
    for step in draw(st.lists(steps, max_size=60)):
        stream.append(number)
        number = (number + step) % MODULUS
    if draw(st.booleans()):
        start = draw(st.sampled_from([0, 1, number]))
        stream += [(start + index) % MODULUS for index in range(20)]
    return stream


@settings(deadline=None, max_examples=400)
@given(stream=numbers() | st.lists(st.integers(0, MODULUS - 1), max_size=20))
def test_window(stream: list[int]) -> None:
    native, reference = _native.GreWindow(), ReceiveWindow()
    for number in stream:
        verdict, missing = native.accept(number)
        assert (verdict, missing) == reference.accept(number)
        assert native.highest == reference.highest
