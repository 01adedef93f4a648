"""State directory, secrets from people, plain text."""

import io
from pathlib import Path

import pytest
import typer

from holdfast.cli.common import ask_secret, complain, default_state, negative, plain, plain_lines, read_secret_line
from holdfast.errors import ConfigError, HoldfastError, StateError


@pytest.mark.parametrize(
    ("euid", "xdg", "expected"),
    [
        (0, "/x", "/var/lib/holdfast"),
        (1000, "/x", "/x/holdfast"),
        (1000, "", "/home/tester/.local/state/holdfast"),
        (1000, "relative", "/home/tester/.local/state/holdfast"),
    ],
)
def test_where_state_lies(monkeypatch: pytest.MonkeyPatch, euid: int, xdg: str, expected: str) -> None:
    monkeypatch.setattr("os.geteuid", lambda: euid)
    monkeypatch.setenv("XDG_STATE_HOME", xdg)
    monkeypatch.setenv("HOME", "/home/tester")
    assert default_state() == Path(expected)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9", "caf\u00e9"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb", "a\\nb"),
        ("\u202e", "\\u202e"),
        ("\ud800", "\\ud800"),
    ],
)
def test_nothing_steers_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert plain_lines("a\n\x1bb") == "a\n\\x1bb"
    complain(HoldfastError("bad \x1b", where="here", fix="do"))
    assert capsys.readouterr().err == "holdfast: here: bad \\x1b\n  do\n"


def test_negative_answers() -> None:
    def fail(error: HoldfastError) -> None:
        with negative(StateError):
            raise error

    with pytest.raises(typer.Exit) as ended:
        fail(StateError("no"))
    assert ended.value.exit_code == 1
    with pytest.raises(ConfigError):
        fail(ConfigError("other"))


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"pw\n", "pw"), (b"pw\r\n", "pw"), (b"pw", "pw"), (b" p w \nmore\n", " p w "), (b"", ""), (b"\n", "")],
)
def test_one_line_of_standard_input(monkeypatch: pytest.MonkeyPatch, octets: bytes, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets)))
    assert read_secret_line() == text


def test_standard_input_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"secret\xff")))
    with pytest.raises(HoldfastError, match="not UTF-8") as caught:
        read_secret_line()
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_terminal_to_ask_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"pw\n")))
    with pytest.raises(HoldfastError, match="--password-stdin"):
        ask_secret("Password", twice=True)
