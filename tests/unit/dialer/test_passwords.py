"""Passwords from files and from systemd."""

from pathlib import Path

import pytest

from holdfast.dialer.passwords import from_credential, from_file
from holdfast.errors import HoldfastError
from holdfast.secret import Secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "password"
    made.write_bytes(b"tr\xc3\xa9s secret \r\nsecond line\n")
    made.chmod(0o600)
    return made


def test_the_first_line_of_a_private_file(path: Path) -> None:
    assert from_file(path) == Secret("trés secret ".encode())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(HoldfastError, match="chmod 600") as caught:
        from_file(path)
    assert "secret" not in caught.value.what


@pytest.mark.parametrize(("content", "words"), [(b"", "no password"), (b"\nx", "no password"), (b"x" * 5000, "longer")])
def test_no_password_in_it(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(HoldfastError, match=words):
        from_file(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="No such file"):
        from_file(tmp_path / "none")


def test_a_credential_of_systemd(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(HoldfastError, match="passed no credentials"):
        from_credential("password")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(path.parent))
    assert from_credential("password")
    with pytest.raises(HoldfastError, match="cannot be read"):
        from_credential("../password2")
