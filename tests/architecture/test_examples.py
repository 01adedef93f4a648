"""Each `holdfast ...` that a page, a help text or an error message shows is a command, with its options."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from architecture.source_tree import ROOT
from holdfast.cli.main import COMMANDS, load

CALL = re.compile(r"(?<![\w./-])holdfast ([a-z][^\n`\"']*)")
END = re.compile(r"\s(?:\||\|\||&&|>|#)\s|;|\\n")
"""What stands behind is another command's."""
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
PLACES = (
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile")),
    *sorted((ROOT / "packaging").glob("*")),
    *sorted((ROOT / "src" / "holdfast").rglob("*.py")),
)


@cache
def command(name: str) -> Any:
    return load(name)


def calls(text: str) -> Iterator[str]:
    """Yield what stands behind the word `holdfast` where that is the command. A name in a sentence is none."""
    for found in CALL.finditer(text):
        yield END.split(found[1])[0]


def wrong(call: str) -> str:
    """Say what is wrong with a call; nothing when it is right, or no call of ours."""
    words = re.findall(r"[A-Za-z0-9./=_-]+", call)
    if not words or words[0] not in COMMANDS:
        return ""
    found = command(words[0])
    for word in words[1:]:
        inner = getattr(found, "commands", {})
        if word in inner:
            found = inner[word]
            break
        if not word.startswith("-") and inner and not getattr(found, "invoke_without_command", False):
            return f"{words[0]} has no {word}" if re.fullmatch(r"[a-z]+", word) else ""
    known = {name for each in found.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
    known |= {name for inner in getattr(found, "commands", {}).values() for p in inner.params for name in p.opts}
    unknown = set(OPTION.findall(call)) - known
    return f"{found.name} has no {', '.join(sorted(unknown))}" if unknown else ""


@pytest.mark.parametrize(
    "path", [path for path in PLACES if path.is_file()], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_example_is_a_command(path: Path) -> None:
    mistakes = {call: why for call in calls(path.read_text(encoding="utf-8")) if (why := wrong(call))}
    assert not mistakes


def test_a_mistake_is_seen() -> None:
    assert wrong("sessions --jsn") == "sessions has no --jsn"
    assert wrong("user ad alice") == "user has no ad"
    assert wrong("events verify --file x.jsonl --nonsense") == "verify has no --nonsense"
    assert not wrong("events --user alice --json")
    assert list(calls("`holdfast user list --json | jq .` and Holdfast is; holdfast-dial@x")) == ["user list --json"]
