"""MPPE datagrams: header, loss, resets, and both readings of a FLUSHED packet."""

import pytest

from holdfast.ppp.mppe_codec import (
    ENCRYPTED,
    FLUSHED,
    KeyChain,
    MppeCodec,
    MppeReceiver,
    MppeSender,
    is_sensible,
)
from holdfast.secret import Secret

KEY = Secret(bytes(range(16)))
PING = bytes.fromhex("00214500001c000100004001f97b0a4d00010a4d000a0800f7ff00000000")
BITS = [40, 56, 128]


def chain(bits: int = 128) -> KeyChain:
    return KeyChain(Secret(KEY.reveal()[: 16 if bits == 128 else 8]), bits)


def head(datagram: bytes) -> int:
    return int.from_bytes(datagram[:2], "big")


def pair(*, stateless: bool) -> tuple[MppeSender, MppeReceiver]:
    return MppeSender(chain(), stateless=stateless), MppeReceiver(chain(), stateless=stateless)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("stateless", [True, False])
def test_what_is_encrypted_comes_out(bits: int, stateless: bool) -> None:
    codec = MppeCodec(Secret(KEY.reveal()[: 16 if bits == 128 else 8]), bits, stateless=stateless)
    seen = set()
    for number in range(600):
        datagram = codec.encrypt(PING)
        assert head(datagram) & 0x0FFF == number
        seen.add(datagram[2:])
        assert codec.decrypt(datagram) == PING
    assert len(seen) == 600


def test_flags() -> None:
    """RFC 3078 section 3.1: FLUSHED on every stateless packet; in stateful mode on flag packets, for Linux."""
    stateless, _ = pair(stateless=True)
    stateful, _ = pair(stateless=False)
    for number in range(520):
        assert head(stateless.encrypt(PING)) & 0xF000 == FLUSHED | ENCRYPTED
        flags = FLUSHED | ENCRYPTED if number & 0xFF == 0xFF else ENCRYPTED
        assert head(stateful.encrypt(PING)) & 0xF000 == flags


@pytest.mark.parametrize(("bits", "salt"), [(40, "d1269e"), (56, "d1"), (128, "")])
def test_the_salt_stays(bits: int, salt: str) -> None:
    keys = chain(bits)
    for _ in range(10):
        assert keys.session_key.reveal().startswith(bytes.fromhex(salt))
        keys.advance()


@pytest.mark.parametrize("lost", [1, 63, 64, 300, 4094])
def test_stateless_loss(lost: int) -> None:
    sender, receiver = pair(stateless=True)
    for _ in range(lost):
        sender.encrypt(PING)
    assert receiver.decrypt(sender.encrypt(PING)) == PING
    assert receiver.decrypt(sender.encrypt(PING)) == PING


@pytest.mark.parametrize(
    ("trusted", "lost", "believed"), [(1, 0, True), (1, 1, False), (64, 63, True), (64, 64, False)]
)
def test_a_gap_is_believed_only_when_the_packet_makes_sense(trusted: int, lost: int, believed: bool) -> None:
    sender, receiver = pair(stateless=True)[0], MppeReceiver(chain(), stateless=True, trusted_steps=trusted)
    for _ in range(lost):
        sender.encrypt(PING)
    assert receiver.decrypt(sender.encrypt(b"noise")) == (b"noise" if believed else None)


def test_a_forged_count_ends_nothing() -> None:
    sender, receiver = pair(stateless=True)
    first = sender.encrypt(PING)
    assert receiver.decrypt(first) == PING
    for far in range(2, 4096, 500):
        forged = (head(first) + far & 0x0FFF | FLUSHED | ENCRYPTED).to_bytes(2, "big") + first[2:]
        assert receiver.decrypt(forged) is None
    assert receiver.decrypt(sender.encrypt(PING)) == PING


@pytest.mark.parametrize("stateless", [True, False])
def test_what_is_dropped(stateless: bool) -> None:
    sender, receiver = pair(stateless=stateless)
    first = sender.encrypt(PING)
    assert receiver.decrypt(first) == PING
    for bad in (b"", b"\x90", first, bytes((first[0] & ~0x10 & 0xFF, 1)) + first[2:]):
        assert receiver.decrypt(bad) is None
    assert receiver.decrypt(sender.encrypt(PING)) == PING


@pytest.mark.parametrize("before", [1, 5, 254, 255, 256, 4090])
@pytest.mark.parametrize("lost", [1, 3, 250, 256, 600])
def test_stateful_loss_and_reset(before: int, lost: int) -> None:
    sender, receiver = pair(stateless=False)
    for _ in range(before):
        assert receiver.decrypt(sender.encrypt(PING)) == PING
    *_, last = [sender.encrypt(PING) for _ in range(lost + 1)]
    if head(last) & FLUSHED:  # a flag packet mends the gap by itself
        assert receiver.decrypt(last) == PING
    else:
        assert receiver.decrypt(last) is None
        assert receiver.discarding
        sender.reset()
    assert receiver.decrypt(sender.encrypt(PING)) == PING
    assert not receiver.discarding
    assert receiver.decrypt(sender.encrypt(PING)) == PING


@pytest.mark.parametrize("key_changes", [False, True], ids=["as the RFC says", "as Linux does"])
def test_both_readings_of_a_flushed_packet(key_changes: bool) -> None:
    """RFC 3078 section 8.2 answers a Reset-Request with the current key; Linux with the next one."""
    sender_keys, receiver = chain(), MppeReceiver(chain(), stateless=False)
    sender = MppeSender(chain(), stateless=False)
    assert receiver.decrypt(sender.encrypt(PING)) == PING
    lost = ENCRYPTED | 2
    assert receiver.decrypt(lost.to_bytes(2, "big") + PING) is None
    if key_changes:
        sender_keys.advance()
    cipher = sender_keys.cipher()
    for count, flags in ((3, FLUSHED | ENCRYPTED), (4, ENCRYPTED)):
        datagram = (flags | count).to_bytes(2, "big") + cipher.encrypt(PING)
        assert receiver.decrypt(datagram) == PING


def test_a_flushed_packet_of_noise_does_not_move_the_keys() -> None:
    sender, receiver = pair(stateless=False)
    assert receiver.decrypt(sender.encrypt(PING)) == PING
    assert receiver.decrypt((FLUSHED | ENCRYPTED | 700).to_bytes(2, "big") + PING) is None
    sender.reset()
    assert receiver.decrypt(sender.encrypt(PING)) == PING


def test_a_reset_in_stateless_mode_changes_nothing() -> None:
    sender, receiver = pair(stateless=True)
    sender.reset()
    datagram = sender.encrypt(PING)
    assert head(datagram) & 0x0FFF == 0
    assert receiver.decrypt(datagram) == PING


@pytest.mark.parametrize(
    ("frame", "sensible"),
    [
        (PING, True),
        (PING[1:], True),
        (PING + bytes(4), True),
        (PING[:-1], False),
        (b"\x00\x21\x65" + PING[3:], False),
        (b"\x00\x57" + b"\x60\0\0\0\0\0" + bytes(34), True),
        (b"\x57" + b"\x60\0\0\0\0\x01" + bytes(34), False),
        (b"\xc0\x21\x05\x01\x00\x04", True),
        (b"\xc0\x21\x05\x01\x00\x05", False),
        (b"\xc0\x21\x05\x01\x00\x03", False),
        (b"\x00\x2d\x45\0\0\x04", False),
        (b"", False),
        (b"\x00", False),
        (b"\x21", False),
        (b"\x00\x21", False),
        (b"\x00\x57\x60", False),
    ],
)
def test_sense(frame: bytes, sensible: bool) -> None:
    assert is_sensible(frame) is sensible


@pytest.mark.parametrize(("bits", "length"), [(40, 16), (128, 8), (64, 8), (128, 0)])
def test_keys_that_do_not_fit(bits: int, length: int) -> None:
    with pytest.raises(ValueError, match="octets"):
        KeyChain(Secret(bytes(length)), bits)
