"""`holdfast config`: check a configuration file, show what is in effect, print the schema."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.common import ConfigOption, JsonOption, command_app
from holdfast.cli.output import print_json, print_table, print_text
from holdfast.config import InvalidConfigError, LoadedConfig, Problem, load, unreadable_files
from holdfast.config import schema as config_schema

app = command_app("The configuration file: one TOML file in which every key is optional.")


@app.command(epilog="Example: holdfast config check /etc/holdfast.toml")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to check.")], as_json: JsonOption = False
) -> None:
    """Say everything that is wrong with a file, and what is unwise in it.

    Exit code 0 means that it can be used, 1 that it has problems, 2 that it cannot be read.
    """
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    try:
        loaded = load(file)
        warnings = [*loaded.warnings, *unreadable_files(loaded)]
    except InvalidConfigError as error:
        problems = error.problems
    if as_json:
        print_json(_report(file, problems, warnings))
    else:
        _print_findings(file, problems, warnings)
    raise typer.Exit(1 if problems else 0)


@app.command(epilog="Example: holdfast config show --config /etc/holdfast.toml")
def show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print every setting as it is in effect, and where it came from: the default, or a line of the file."""
    loaded = load(config)
    if as_json:
        print_json([{"key": one.key, "value": one.value, "origin": one.origin} for one in loaded.settings()])
        return
    print_table(("setting", "value", "from"), [(one.key, _written(one.value), one.origin) for one in loaded.settings()])
    _print_warnings(loaded)


@app.command(epilog="Example: holdfast config schema > holdfast.schema.json")
def schema() -> None:
    """Print the JSON schema of the file, for editors and for those who generate it."""
    print_json(config_schema())


def _report(file: Path, problems: Sequence[Problem], warnings: Sequence[Problem]) -> dict[str, Any]:
    return {
        "file": str(file),
        "usable": not problems,
        "problems": [problem.as_dict() for problem in problems],
        "warnings": [warning.as_dict() for warning in warnings],
    }


def _print_findings(file: Path, problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    for problem in problems:
        print_text(problem.text(str(file)))
    for warning in warnings:
        print_text(f"warning: {warning.text(str(file))}")
    if problems:
        print_text(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}; nothing starts with this file.")
    else:
        print_text(f"{file}: can be used as it is")


def _print_warnings(loaded: LoadedConfig) -> None:
    for warning in loaded.warnings:
        print_text(f"warning: {warning.text(str(loaded.file))}")


def _written(value: object) -> str | None:
    """Write a value as the file would."""
    return None if value is None else json.dumps(value, ensure_ascii=False)
