"""Encryption of closed segments."""

import io
from pathlib import Path

import pytest

from holdfast.errors import ConfigError, StateError
from holdfast.observe.at_rest import CHUNK, SealedReader, read_key_file, seal
from holdfast.secret import Secret

KEY = Secret(bytes(range(32)))


def sealed(plain: bytes) -> bytes:
    out = io.BytesIO()
    seal([plain[: len(plain) // 3], plain[len(plain) // 3 :]], out, KEY)
    return out.getvalue()


def opened(octets: bytes, key: Secret = KEY) -> bytes:
    return io.BufferedReader(SealedReader(io.BytesIO(octets), key, "x")).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_goes_in_comes_out(size: int) -> None:
    plain = bytes(number % 251 for number in range(size))
    octets = sealed(plain)
    assert opened(octets) == plain
    assert plain[:32] not in octets or size < 8


def test_two_files_never_share_a_key_stream() -> None:
    assert sealed(b"the same")[24:] != sealed(b"the same")[24:]


@pytest.mark.parametrize("position", [0, 10, 24, 27, 28, 40, -1])
def test_a_changed_octet_is_refused(position: int) -> None:
    octets = bytearray(sealed(b"x" * 100))
    octets[position] ^= 1
    with pytest.raises(StateError):
        opened(bytes(octets))


def test_a_file_that_was_cut_at_a_chunk_is_refused() -> None:
    octets = sealed(bytes(3 * CHUNK))
    with pytest.raises(StateError):
        opened(octets[: 24 + 4 + CHUNK + 16])


def test_chunks_cannot_change_places() -> None:
    octets = sealed(bytes(3 * CHUNK))
    size = 4 + CHUNK + 16
    head, first, second, rest = (
        octets[:24],
        octets[24 : 24 + size],
        octets[24 + size : 24 + 2 * size],
        octets[24 + 2 * size :],
    )
    with pytest.raises(StateError):
        opened(head + second + first + rest)


def test_another_key_is_refused() -> None:
    with pytest.raises(StateError, match="does not open with this key"):
        opened(sealed(b"x"), Secret(bytes(32)))


@pytest.mark.parametrize("content", [bytes(32), b"00" * 32 + b"\n"])
def test_a_key_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    assert read_key_file(path) == Secret(bytes(32))


@pytest.mark.parametrize("content", [b"", b"short", bytes(31), b"zz" * 32])
def test_a_file_that_is_no_key_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not a key of 32 octets"):
        read_key_file(path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(32))
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="other users may read"):
        read_key_file(path)


def test_a_missing_key_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key_file(tmp_path / "key")
