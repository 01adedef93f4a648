"""Key pairs: directions, strengths, snapshots. The RFC's examples are in `tests/vectors`."""

import pytest

from holdfast.ppp.mppe import MppeKeyPair, keys_from_ms_chap, keys_from_ms_chap_v2
from holdfast.secret import Secret

PAIR = MppeKeyPair(Secret(bytes(range(16))), Secret(bytes(range(16, 32))))


def test_the_server_sends_with_what_the_client_receives_with() -> None:
    server = keys_from_ms_chap_v2(bytes(16), bytes(24), is_server=True)
    client = keys_from_ms_chap_v2(bytes(16), bytes(24), is_server=False)
    assert server == client.other_side()
    assert server.send != server.receive


@pytest.mark.parametrize(("bits", "length"), [(40, 8), (56, 8), (128, 16)])
def test_lengths(bits: int, length: int) -> None:
    keys = PAIR.direction_keys(bits)
    assert keys is not None
    assert keys.send.reveal() == bytes(range(length))
    assert keys.receive.reveal() == bytes(range(16, 16 + length))


@pytest.mark.parametrize("bits", [0, 41, 64, 129, -40])
def test_other_strengths_have_no_keys(bits: int) -> None:
    assert PAIR.direction_keys(bits) is None


def test_without_lan_manager_hash_there_is_128_bit_only() -> None:
    pair = keys_from_ms_chap(bytes(8), bytes(16), None)
    assert pair.strengths == (128,)
    assert pair.direction_keys(40) is None
    assert pair.direction_keys(128) is not None


def test_keys_of_the_wrong_size_from_elsewhere_give_nothing() -> None:
    pair = MppeKeyPair(Secret(bytes(5)), Secret(bytes(5)), Secret(b""))
    assert pair.strengths == ()
    assert MppeKeyPair(Secret(bytes(8)), Secret(bytes(16))).direction_keys(128) is None


def test_snapshot() -> None:
    for pair in (PAIR, keys_from_ms_chap(bytes(8), bytes(16), bytes(16))):
        assert MppeKeyPair.restore(pair.snapshot()) == pair
