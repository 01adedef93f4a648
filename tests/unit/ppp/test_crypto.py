"""Hash functions beside the RFCs' own examples (these are in `tests/vectors`)."""

import pytest

from holdfast.ppp import crypto


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"message digest", "d9130a8164549fe818874806e1c7014b"),
    ],
)
def test_md4(text: bytes, digest: str) -> None:
    """RFC 1320 appendix A.5."""
    assert crypto.md4(text).hex() == digest


def test_nt_hash_of_text_beyond_ascii_and_beyond_utf8() -> None:
    assert crypto.nt_password_hash("é😀".encode()) == crypto.md4("é😀".encode("utf-16-le"))
    assert crypto.nt_password_hash(b"\xe9") == crypto.md4("é".encode("utf-16-le"))


@pytest.mark.parametrize("password", [b"12345678901234", "ÄÖÜ".encode(), b""])
def test_lm_hash_exists(password: bytes) -> None:
    digest = crypto.lm_password_hash(password)
    assert digest is not None
    assert len(digest) == 16
    assert digest == crypto.lm_password_hash(password.decode().lower().encode())


@pytest.mark.parametrize("password", [b"123456789012345", "漢字".encode(), b"\xff", "ß".encode() * 8])
def test_passwords_without_lm_hash(password: bytes) -> None:
    assert crypto.lm_password_hash(password) is None


def test_empty_lm_hash() -> None:
    assert crypto.lm_password_hash(b"") == bytes.fromhex("aad3b435b51404ee") * 2


def test_des_ignores_no_key_bit() -> None:
    outputs = {crypto.des_encrypt(bytes(8), (1 << bit).to_bytes(7, "big")) for bit in range(56)}
    assert len(outputs) == 56


def test_rc4() -> None:
    """RFC 6229 section 2: key 0102030405, offset 0."""
    assert crypto.rc4(bytes.fromhex("0102030405"), bytes(16)).hex() == "b2396305f03dc027ccc3524a0a1118a8"
