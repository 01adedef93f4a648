"""Refusals of the host in one sentence."""

import errno
from pathlib import Path

import pytest

from holdfast.errors import HostError
from holdfast.network.refusal import RIGHTS_FIX, explained, rights_fix


def test_the_sentence_names_what_where_and_why(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(HostError) as caught, explained("cannot read it"):
        path.read_text()
    assert caught.value.text() == f"{path}: cannot read it: No such file or directory"


@pytest.mark.parametrize(
    ("code", "fix"), [(errno.EPERM, RIGHTS_FIX), (errno.EACCES, RIGHTS_FIX), (errno.EIO, ""), (None, "")]
)
def test_a_missing_right_comes_with_the_way_out(code: int | None, fix: str) -> None:
    assert rights_fix(code) == fix
    with pytest.raises(HostError) as caught, explained("cannot", where="there"):
        raise OSError(code or 0, "no")
    assert caught.value.fix == fix


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="x"), explained("cannot"):
        raise ValueError("x")
