"""Private files and directories."""

import os
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.policy.files import make_private_file, private_directory, readable_by_others


def test_a_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private_directory(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_directory_of_everybody_is_refused_and_left_as_it_is(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(StateError, match="other users may write"):
        private_directory(tmp_path)
    assert tmp_path.stat().st_mode & 0o7777 == mode


def test_a_directory_that_others_may_read_is_taken(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_directory(tmp_path)


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match="cannot be used"):
        private_directory(tmp_path / "state")


def test_a_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    old = os.umask(0)
    try:
        assert make_private_file(path, b"first")
    finally:
        os.umask(old)
    assert not make_private_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["key"]


def test_a_draft_that_a_crash_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f".key.{os.getpid()}").write_bytes(b"half")
    assert make_private_file(tmp_path / "key", b"whole")
    assert (tmp_path / "key").read_bytes() == b"whole"


def test_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch()
    path.chmod(0o600)
    assert not readable_by_others(path)
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        assert readable_by_others(path)


@pytest.mark.root
def test_what_root_makes_belongs_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4322)
    make_private_file(tmp_path / "key", b"")
    status = (tmp_path / "key").stat()
    assert (status.st_uid, status.st_gid) == (4321, 4322)
