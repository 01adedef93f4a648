"""Access control lists on files, read back as the kernel has them."""

import errno
import os
import struct
from pathlib import Path

import pytest

from holdfast.errors import HostError
from holdfast.policy.acl import ATTRIBUTE, EXECUTE, READ, WRITE, share

NONE = frozenset[int]()
USER, GROUP_OBJ, GROUP, MASK = 2, 4, 8, 16


def entries(path: Path) -> dict[tuple[int, int], int]:
    """Return tag and number -> right."""
    octets = os.getxattr(path, ATTRIBUTE)
    return {(tag, number): right for tag, right, number in struct.iter_unpack("<HHI", octets[4:])}


def named(path: Path) -> dict[tuple[int, int], int]:
    return {key: right for key, right in entries(path).items() if key[0] in (USER, GROUP)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.touch(0o600)
    try:
        os.setxattr(path, ATTRIBUTE, b"")
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            pytest.fail("the tests' folder lies on a file system without access control lists")
    return path


def test_users_and_groups_get_the_right_and_nobody_else_does(file: Path) -> None:
    share(file, frozenset({7, 3}), frozenset({5}), READ | WRITE)
    assert named(file) == {(USER, 3): 6, (USER, 7): 6, (GROUP, 5): 6}
    assert entries(file)[GROUP_OBJ, 2**32 - 1] == 0
    assert entries(file)[MASK, 2**32 - 1] == 6
    assert file.stat().st_mode & 0o707 == 0o600


def test_a_shorter_list_takes_away_what_a_longer_one_gave(file: Path) -> None:
    share(file, frozenset({3, 7}), frozenset({5}), READ | WRITE)
    share(file, frozenset({3}), NONE, READ | WRITE)
    assert named(file) == {(USER, 3): 6}
    share(file, NONE, NONE, READ | WRITE)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(OSError, match="No data"):
        os.getxattr(file, ATTRIBUTE)


def test_rights_that_somebody_else_gave_stay(tmp_path: Path) -> None:
    share(tmp_path, frozenset({11}), NONE, READ | EXECUTE)
    share(tmp_path, frozenset({3}), NONE, EXECUTE)
    share(tmp_path, frozenset({4}), NONE, EXECUTE)
    assert named(tmp_path) == {(USER, 4): 1, (USER, 11): 5}


def test_nothing_to_give_touches_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("written")

    monkeypatch.setattr(os, "setxattr", refuse)
    share(file, NONE, NONE, READ | WRITE)


def test_a_file_system_without_lists_is_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(os, "getxattr", refuse)
    share(file, NONE, NONE, READ | WRITE)
    with pytest.raises(HostError, match="keeps no rights for single accounts"):
        share(file, frozenset({3}), NONE, READ | WRITE)
