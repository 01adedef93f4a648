"""Every command has its page, and the page shows every option."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from architecture.source_tree import ROOT
from holdfast.cli.main import COMMANDS, load

PAGES = ROOT / "docs" / "commands"
EVERYWHERE = {"--help"}
ASKING = ("sessions", "status", "why", "disconnect", "reload", "drain", "unlock")
"""Commands that only ask a running gateway: they answer at once, also on a machine that is busy."""
HEAVY = ("holdfast.gateway", "holdfast.ppp", "holdfast._native", "pydantic", "sqlalchemy", "pyroute2")


def options(command: Any) -> Iterator[str]:
    """Yield the long names of a command's options, and those of its subcommands."""
    for parameter in command.params:
        yield from (name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--"))
    for inner in getattr(command, "commands", {}).values():
        yield from options(inner)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    command = load(name)
    assert not [option for option in {*options(command)} - EVERYWHERE if option not in page]
    assert not [inner for inner in getattr(command, "commands", {}) if f"{name} {inner}" not in page]


def test_every_page_has_its_command() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} <= set(COMMANDS)


def test_the_table_of_contents_names_every_page() -> None:
    contents = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").rglob("*.md")):
        if page.name != "README.md":
            assert f"({page.relative_to(ROOT / 'docs')})" in contents


@pytest.mark.parametrize("name", ASKING)
def test_a_command_that_only_asks_loads_no_gateway(name: str) -> None:
    program = f"import sys, holdfast.cli.main as main; main.load({name!r}); print(*sys.modules)"
    loaded = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True).stdout.split()
    assert not [module for module in HEAVY if module in loaded]
