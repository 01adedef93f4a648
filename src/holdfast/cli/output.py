"""Tables for people, JSON for programs. Names and texts that came from elsewhere never reach a terminal as they are."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.common import plain, plain_lines

WIDE = 1000
"""Columns of a table that goes into a file or a pipe: nothing is cut off there."""


def print_json(value: Any) -> None:
    """Print plain data as JSON."""
    sys.stdout.write(harmless_json(json.dumps(value, indent=2, ensure_ascii=False, default=str)) + "\n")


def harmless_json(text: str) -> str:
    """Return JSON with every character that could steer a terminal, or turn what it shows around, as an escape of JSON.

    JSON itself escapes those below U+0020 only; the others stand in strings, where an escape means the same.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; None becomes a dash. Cells wrap on a terminal and are whole in a pipe."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("-" if cell is None else plain(str(cell))) for cell in row))
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    console.print(table)


def print_text(text: str) -> None:
    """Print a text of one or more lines."""
    sys.stdout.write(plain_lines(text) + "\n")


def local_time(seconds: float | None) -> str | None:
    """Write a time (seconds since 1970) as this machine's date and time with its zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
