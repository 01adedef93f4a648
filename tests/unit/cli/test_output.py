"""Tables and JSON."""

import json
import os
import re
import time

import pytest

from holdfast.cli.output import local_time, print_json, print_table, print_text

OUT = pytest.CaptureFixture[str]


def test_a_table_in_a_pipe_is_whole(capsys: OUT) -> None:
    print_table(("name", "number"), [("x" * 300, 5), (None, "[red]b[/red]")])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert re.split(r"\s+", lines[0]) == ["name", "number"]
    assert re.split(r"\s+", lines[2]) == ["x" * 300, "5"]
    assert re.split(r"\s+", lines[3]) == ["-", "[red]b[/red]"]


def test_a_hostile_cell_stays_in_its_cell(capsys: OUT) -> None:
    print_table(("name",), [("a\nb\x1b[31m",)])
    out = capsys.readouterr().out
    assert "a\\nb\\x1b[31m" in out
    assert "\x1b" not in out


def test_json(capsys: OUT) -> None:
    print_json({"name": "J\u00fcrgen\x1b", "list": [1, None]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": "J\u00fcrgen\x1b", "list": [1, None]}
    assert "\x1b" not in out


def test_text(capsys: OUT) -> None:
    print_text("one\ntwo\x07")
    assert capsys.readouterr().out == "one\ntwo\\x07\n"


def test_times_carry_their_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TZ", "Etc/GMT-2")
    time.tzset()
    try:
        assert local_time(0.0) == "1970-01-01T02:00:00+02:00"
        assert local_time(None) is None
    finally:
        monkeypatch.undo()
        time.tzset()


def test_json_steers_no_terminal(capsys: OUT) -> None:
    hostile = {"user\u202e": "a\x1b[31m \x9b31m \x7f \u2028 \U000e0001 J\u00fcrgen"}
    print_json(hostile)
    out = capsys.readouterr().out
    assert all(char.isprintable() or char == "\n" for char in out)
    assert "J\u00fcrgen" in out
    assert json.loads(out) == hostile


def test_a_narrow_terminal_is_spared_what_matters_least(capsys: OUT, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    columns, row = ("id", "name", "rest"), ("0123456789", "J\u00fcrgen", "x" * 20)

    def printed(width: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        print_table(columns, [row], ("rest", "name"))
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    assert printed(42)[2].split() == list(row)
    assert printed(41)[2:] == ["0123456789   J\u00fcrgen", "(too narrow for rest: see --json)"]
    assert printed(18)[2:] == ["0123456789", "(too narrow for name, rest: see --json)"]
    assert printed(8)[2:4] == ["01234567", "89"]
