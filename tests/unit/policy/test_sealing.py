"""Sealing."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import StateError
from holdfast.policy.sealing import KEY_FILE, Sealer, make_key, read_key
from holdfast.secret import Secret

KEY = Secret(bytes(range(32)))


@settings(max_examples=50)
@given(st.binary(max_size=600), st.text(max_size=20).filter(str.isprintable))
def test_what_is_sealed_opens(octets: bytes, owner: str) -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(Secret(octets), owner)
    assert sealer.unseal(sealed, owner).reveal() == octets
    assert len(octets) < 8 or octets not in sealed


def test_the_same_secret_never_looks_the_same() -> None:
    sealer = Sealer(KEY)
    assert sealer.seal(Secret(b"x"), "a") != sealer.seal(Secret(b"x"), "a")


def test_the_length_of_a_password_is_hidden() -> None:
    sealer = Sealer(KEY)
    assert {len(sealer.seal(Secret(b"x" * size), "a")) for size in range(1, 62)} == {1 + 12 + 64 + 16}


def test_a_secret_belongs_to_its_owner() -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(Secret(b"x"), "alice")
    with pytest.raises(StateError, match="'bob' does not open"):
        sealer.unseal(sealed, "bob")


def test_another_key_does_not_open() -> None:
    sealed = Sealer(KEY).seal(Secret(b"x"), "a")
    with pytest.raises(StateError, match="restore both from the same backup"):
        Sealer(Secret(bytes(32)), where="key").unseal(sealed, "a")


def test_every_changed_octet_is_noticed() -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(Secret(b"password"), "a")
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(StateError):
            sealer.unseal(bytes(broken), "a")


@pytest.mark.parametrize("size", [0, 1, 12, 29, 92])
def test_a_cut_secret_is_refused(size: int) -> None:
    sealer = Sealer(KEY)
    with pytest.raises(StateError):
        sealer.unseal(sealer.seal(Secret(b"x"), "a")[:size], "a")


def test_a_key_of_the_wrong_size() -> None:
    with pytest.raises(StateError, match="31 octets"):
        Sealer(Secret(bytes(31)))


def test_the_key_file(tmp_path: Path) -> None:
    assert read_key(tmp_path) is None
    key = make_key(tmp_path, os.urandom)
    assert len(key) == 32
    assert read_key(tmp_path) == key == make_key(tmp_path, os.urandom)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path, os.urandom)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(StateError, match="chmod 600"):
        read_key(tmp_path)


def test_a_key_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir(mode=0o700)
    with pytest.raises(StateError, match="cannot be read"):
        read_key(tmp_path)
