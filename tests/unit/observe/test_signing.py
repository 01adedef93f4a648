"""Signatures on the head."""

from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.observe.signing import KEY_FILE, PUBLIC_FILE, PublicKey, SigningKey, head_message


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first, second = SigningKey.open(tmp_path), SigningKey.open(tmp_path)
    assert first.public.fingerprint == second.public.fingerprint
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in (tmp_path / PUBLIC_FILE).read_text()


def test_the_public_key_checks_what_the_private_one_signed(tmp_path: Path) -> None:
    key = SigningKey.open(tmp_path)
    public = PublicKey.read(tmp_path / PUBLIC_FILE)
    message = head_message(7, bytes(32))
    signature = key.sign(message)
    assert public.verify(message, signature)
    assert not public.verify(head_message(8, bytes(32)), signature)
    assert not public.verify(message, signature[:-1] + bytes((signature[-1] ^ 1,)))
    assert not public.verify(message, b"")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    SigningKey.open(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(StateError, match="other users may read this key"):
        SigningKey.open(tmp_path)


@pytest.mark.parametrize("content", ["", "nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_file_that_is_no_key_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.pub"
    path.write_text(content)
    with pytest.raises(StateError, match="not an Ed25519 public key"):
        PublicKey.read(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be read"):
        PublicKey.read(tmp_path / "nothing")
