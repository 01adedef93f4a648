"""Tables for people, JSON for programs. Names and texts that came from elsewhere never reach a terminal as they are."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.common import plain, plain_lines

GAP = 3
"""Columns between two columns of a table."""
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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], spare: Sequence[str] = ()) -> None:
    """Print a table; None becomes a dash. Cells wrap on a terminal and are whole in a pipe.

    On a terminal that is too narrow, columns of `spare` are left out, the first of them first, until the rest fits.
    """
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    cells = [["-" if cell is None else plain(str(cell)) for cell in row] for row in rows]
    shown = _fitting(columns, cells, spare, console.width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number in shown:
        table.add_column(columns[number], overflow="fold")
    for row in cells:
        table.add_row(*(Text(row[number]) for number in shown))
    console.print(table)
    if left_out := [column for number, column in enumerate(columns) if number not in shown]:
        print_text(f"(too narrow for {', '.join(left_out)}: see --json)")


def _fitting(columns: Sequence[str], cells: Sequence[Sequence[str]], spare: Sequence[str], width: int) -> list[int]:
    """Return the numbers of the columns that fit beside each other."""
    needed = [max(map(cell_len, (columns[n], *(row[n] for row in cells)))) + GAP for n in range(len(columns))]
    shown = list(range(len(columns)))
    for column in spare:
        if sum(needed[number] for number in shown) - GAP <= width:
            break
        shown.remove(columns.index(column))
    return shown


def print_text(text: str) -> None:
    """Print a text of one or more lines."""
    sys.stdout.write(plain_lines(text) + "\n")


def local_time(seconds: float | None) -> str | None:
    """Write a time (seconds since 1970) as this machine's date and time with its zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
