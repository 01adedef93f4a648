"""Files that a configuration names and that are not there are told by the check, not by the loading."""

from pathlib import Path

import pytest

from holdfast.config import load, unreadable_files

KEYS = ("users.chap_secrets", "log.encryption_key", "metrics.token_file", "radius.secrets_file")


def problems(folder: Path, text: str) -> list[tuple[str, str, int]]:
    file = folder / "h.toml"
    file.write_text(text)
    return [(one.key, one.what, one.line) for one in unreadable_files(load(file))]


@pytest.mark.parametrize("key", KEYS)
def test_a_file_that_is_not_there(tmp_path: Path, key: str) -> None:
    section, name = key.split(".")
    text = f'[{section}]\n{name} = "{tmp_path}/nothing"\n'
    assert problems(tmp_path, text) == [(key, f"{tmp_path}/nothing: there is no such file", 2)]
    assert problems(tmp_path, text.replace("/nothing", "")) == [(key, f"{tmp_path}: this is a directory", 2)]


def test_certificates_of_radius_servers(tmp_path: Path) -> None:
    for name in ("ca", "certificate", "key"):
        (tmp_path / f"{name}.pem").write_text("here")
    files = "".join(f'{name} = "{tmp_path}/{name}.pem"\n' for name in ("ca", "certificate", "key"))
    text = f'[[radius.servers]]\naddress = "127.0.0.1"\ntransport = "tls"\n{files}'
    assert problems(tmp_path, text) == []
    (tmp_path / "key.pem").unlink()
    assert [what for _, what, _ in problems(tmp_path, text)] == [f"{tmp_path}/key.pem: there is no such file"]


def test_without_files_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == []
