"""Running commands inside this process, and in one of their own with a terminal."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from holdfast.cli.main import main


class Ran(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


class Input(io.TextIOWrapper):
    """Standard input that is no terminal."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `holdfast ARGUMENTS...` with a state directory of its own and these octets on standard input."""
    monkeypatch.setenv("HOLDFAST_STATE", str(state))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("HOLDFAST_CONFIG", raising=False)

    def run_command(*arguments: str | Path, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr("sys.stdin", Input(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run_command
