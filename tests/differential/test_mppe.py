"""The readable MPPE and the Rust core encrypt to the same octets, and judge the same datagrams alike."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import _native
from holdfast.ppp.mppe import KEY_LENGTHS
from holdfast.ppp.mppe_codec import ENCRYPTED, FLUSHED, HEADER_SIZE, KeyChain, MppeCodec
from holdfast.secret import Secret

BITS = st.sampled_from(sorted(KEY_LENGTHS))
PING = bytes.fromhex("0021 4500 001c 0001 0000 4001 f97b 0a4d 0001 0a4d 000a 0800 f7ff 0000 0000".replace(" ", ""))
FRAMES = st.just(PING) | st.binary(min_size=1, max_size=48)
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["deliver"] * 5 + ["lose", "repeat", "damage", "burst", "reset", "hold"]), FRAMES),
    max_size=40,
)


def _both(key: bytes, bits: int, stateless: bool) -> tuple[Any, MppeCodec]:
    key = key[: KEY_LENGTHS[bits]]
    return _native.MppeCipher(key, bits, stateless), MppeCodec(Secret(key), bits, stateless=stateless)


@settings(deadline=None, max_examples=100)
@given(
    key=st.binary(min_size=16, max_size=16), bits=BITS, stateless=st.booleans(), actions=ACTIONS, spot=st.integers(0)
)
def test_a_bad_network(key: bytes, bits: int, stateless: bool, actions: list[tuple[str, bytes]], spot: int) -> None:
    native, reference = _both(key, bits, stateless)
    held = b""
    for action, frame in actions:
        if action == "reset":
            native.reset()
            reference.reset()
        if action == "burst":  # past the next flag packet, and past what is believed without looking
            for _ in range(spot % 600):
                assert native.encrypt(frame) == reference.encrypt(frame)
        datagram = native.encrypt(frame)
        assert datagram == reference.encrypt(frame)
        arrivals = {"lose": [], "repeat": [datagram, datagram], "damage": [_damage(datagram, spot)], "hold": [held]}
        for arrival in arrivals.get(action, [datagram]):
            assert native.decrypt(arrival) == reference.decrypt(arrival)
        held = datagram


def _damage(datagram: bytes, spot: int) -> bytes:
    bit = spot % (8 * len(datagram))
    return (int.from_bytes(datagram, "big") ^ 1 << bit).to_bytes(len(datagram), "big")


@settings(deadline=None, max_examples=150)
@given(
    key=st.binary(min_size=16, max_size=16),
    bits=BITS,
    stateless=st.booleans(),
    datagrams=st.lists(st.binary(max_size=40), max_size=20),
)
def test_garbage(key: bytes, bits: int, stateless: bool, datagrams: list[bytes]) -> None:
    native, reference = _both(key, bits, stateless)
    for datagram in datagrams:
        assert native.decrypt(datagram) == reference.decrypt(datagram)
    assert native.encrypt(PING) == reference.encrypt(PING)


@pytest.mark.parametrize("bits", KEY_LENGTHS)
@pytest.mark.parametrize("stateless", [True, False])
def test_a_long_session(bits: int, stateless: bool) -> None:
    """Twice around the 12-bit count."""
    native, reference = _both(bytes(range(16)), bits, stateless)
    for _ in range(2 * 4096 + 10):
        datagram = native.encrypt(PING)
        assert datagram == reference.encrypt(PING)
        assert native.decrypt(datagram) == PING
        assert reference.decrypt(datagram) == PING


@pytest.mark.parametrize("frame", [PING, b"noise"])
@pytest.mark.parametrize("stateless", [True, False])
@pytest.mark.parametrize("lost", [0, 1, 63, 64, 65, 255, 256, 257, 1000, 4094, 4095])
def test_gaps_of_every_kind(frame: bytes, stateless: bool, lost: int) -> None:
    native, reference = _both(bytes(range(16)), 128, stateless)
    for _ in range(3):
        for _ in range(lost):
            native.encrypt(frame)
        datagram = native.encrypt(frame)
        assert native.decrypt(datagram) == reference.decrypt(datagram)
        native.reset()


@pytest.mark.parametrize("changes", range(4))
@pytest.mark.parametrize("count", [2, 0x0FE, 0x0FF, 0x100, 0x1FF, 0x200])
def test_flushed_packets_with_every_key(count: int, changes: int) -> None:
    """Which keys a receiver accepts after a gap: the count tells how many flag packets changed it."""
    key = bytes(range(16))
    native, reference = _both(key, 128, stateless=False)
    chain = KeyChain(Secret(key), 128)
    chain.advance(changes)
    datagram = (FLUSHED | ENCRYPTED | count).to_bytes(HEADER_SIZE, "big") + chain.cipher().encrypt(PING)
    flags = (count + 1) // 256
    accepted = {flags} if count & 0xFF == 0xFF else {flags, flags + 1}
    frame = reference.decrypt(datagram)
    assert native.decrypt(datagram) == frame
    assert (frame == PING) is (changes in accepted)


@pytest.mark.parametrize(("length", "bits"), [(16, 40), (8, 128), (7, 56), (16, 64), (0, 128)])
def test_both_refuse_the_same_keys(length: int, bits: int) -> None:
    with pytest.raises(ValueError, match=r"octets|bits"):
        _native.MppeCipher(bytes(length), bits, True)
    with pytest.raises(ValueError, match=r"octets|bits"):
        MppeCodec(Secret(bytes(length)), bits, stateless=True)


def test_header_size() -> None:
    native, _ = _both(bytes(16), 128, True)
    assert len(native.encrypt(b"")) == HEADER_SIZE
