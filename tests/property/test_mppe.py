"""MPPE over a bad network: what comes out is what went in, or nothing; and it always recovers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ppp.mppe import KEY_LENGTHS
from holdfast.ppp.mppe_codec import MppeCodec
from holdfast.secret import Secret

PING = bytes.fromhex("00214500001c000100004001f97b0a4d00010a4d000a0800f7ff00000000")


@settings(deadline=None, max_examples=150)
@given(
    key=st.binary(min_size=16, max_size=16),
    bits=st.sampled_from(sorted(KEY_LENGTHS)),
    stateless=st.booleans(),
    fate=st.lists(st.sampled_from(["arrives", "arrives", "is lost", "comes twice"]), max_size=80),
    skip=st.integers(0, 300),
)
def test_lost_and_repeated_packets(key: bytes, bits: int, stateless: bool, fate: list[str], skip: int) -> None:
    codec = MppeCodec(Secret(key[: KEY_LENGTHS[bits]]), bits, stateless=stateless)
    for _ in range(skip):
        codec.encrypt(PING)
    codec.reset()
    in_step = skip == 0
    for number, what in enumerate(fate):
        frame = PING[:-1] + bytes((number,))
        datagram = codec.encrypt(frame)
        if what == "is lost":
            in_step = False
            continue
        result = codec.decrypt(datagram)
        assert result == frame or (result is None and not stateless and not in_step)
        if what == "comes twice":
            assert codec.decrypt(datagram) is None
        if result is None:
            codec.reset()
        in_step = True


@settings(deadline=None, max_examples=150)
@given(data=st.lists(st.binary(max_size=30), max_size=30), stateless=st.booleans())
def test_garbage_never_raises(data: list[bytes], stateless: bool) -> None:
    codec = MppeCodec(Secret(bytes(16)), 128, stateless=stateless)
    for datagram in data:
        result = codec.decrypt(datagram)
        assert result is None or len(result) == len(datagram) - 2
