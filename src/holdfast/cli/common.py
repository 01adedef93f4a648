"""What the commands share: the state directory, secrets from people, and negative answers."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from holdfast.errors import HoldfastError

SYSTEM_STATE = Path("/var/lib/holdfast")
LONGEST_LINE = 4096
"""Octets read from standard input for one secret."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
"""Seconds, by the letter that stands behind a number."""


def command_app(help_text: str, epilog: str | None = None) -> typer.Typer:
    """Make the `app` of a command module."""
    return typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        help=help_text,
        epilog=epilog,
    )


def default_state() -> Path:
    """Return where state lies when nobody says otherwise: the system's place for root, else the user's own."""
    if os.geteuid() == 0:
        return SYSTEM_STATE
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "holdfast"


StateOption = Annotated[
    Path,
    typer.Option(
        "--state",
        metavar="DIR",
        envvar="HOLDFAST_STATE",
        help="The state directory: database, key, control socket.",
        default_factory=default_state,
        show_default="/var/lib/holdfast for root, else ~/.local/state/holdfast",
        file_okay=False,
        readable=False,
    ),
]
"""The same option on every command. To pass the directory is enough for those who only use the socket in it."""

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", envvar="HOLDFAST_CONFIG", help="The configuration; defaults without it."),
]

PortOption = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="N", min=1, max=65535, help="TCP port of the servers, where it is another one than 1723."
    ),
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def plain(text: str) -> str:
    """Return one line of text with every character that could steer a terminal written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def plain_lines(text: str) -> str:
    """Do the same to each line of a text."""
    return "\n".join(map(plain, text.split("\n")))


def complain(error: HoldfastError) -> None:
    """Print an error for people."""
    sys.stderr.write(f"holdfast: {plain_lines(error.text())}\n")


def warn(text: str) -> None:
    """Print to people what is allowed and yet unwise."""
    sys.stderr.write(f"warning: {plain_lines(text)}\n")


@contextmanager
def negative(*kinds: type[HoldfastError]) -> Iterator[None]:
    """Turn errors of these kinds into a negative answer: the message, and exit code 1."""
    try:
        yield
    except kinds as error:
        complain(error)
        raise typer.Exit(1) from None


def ask_secret(prompt: str, *, twice: bool) -> str:
    """Ask the person at the terminal, without echo. HoldfastError when there is none, or when two answers differ."""
    if not sys.stdin.isatty():
        raise HoldfastError(
            "a password is asked for at a terminal, and there is none",
            fix="Give it on standard input: --password-stdin (never as an argument, where everybody sees it).",
        )
    answer = getpass.getpass(f"{prompt}: ")
    if twice and getpass.getpass(f"{prompt} again: ") != answer:
        raise HoldfastError("the two passwords are not the same", fix="Nothing was changed; try again.")
    return answer


def read_secret_line() -> str:
    """Read one line of standard input, without its end."""
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    try:
        return line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise HoldfastError("what came on standard input is not UTF-8 text") from None
