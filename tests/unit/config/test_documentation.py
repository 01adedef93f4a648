"""The page about the configuration says what the code says."""

import json
from pathlib import Path

import pytest

from holdfast.config import Config, parse
from holdfast.config.loading import NAMED
from holdfast.policy.overrides import Overrides
from holdfast.policy.presets import PRESETS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")


def rows() -> list[str]:
    """One row of the page for each key: its name, its default as a file would write it, its meaning."""
    values = Config().model_dump(mode="json")
    return [
        f"| `{key}` | {_default(values[name][key])} | {field.description} |"
        for name, section in Config()
        if name not in NAMED
        for key, field in type(section).model_fields.items()
    ]


def _default(value: object) -> str:
    return "none" if value is None else f"`{json.dumps(value)}`"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("`")[1])
def test_every_key_has_its_row(row: str) -> None:
    assert row in PAGE.splitlines()


def test_no_row_is_left_of_a_key_that_is_gone() -> None:
    assert len([line for line in PAGE.splitlines() if line.startswith("| `")]) == len(rows())


def test_the_examples_are_taken_without_a_warning() -> None:
    blocks = PAGE.split("```toml\n")[1:]
    assert blocks
    for block in blocks:
        assert parse(block.split("```")[0]).warnings == ()


def test_the_page_names_what_a_group_may_set() -> None:
    text = PAGE.split("## Settings of a session")[1].split("\n## ")[0]
    assert all(f"`{key}`" in text for key in Overrides.model_fields)


def test_the_presets_stand_in_the_page_with_their_numbers() -> None:
    for name, preset in PRESETS.items():
        numbers = ", ".join(f"`{key} = {value:g}`" for key, value in preset.settings.items())
        assert f"| {name} | {numbers} | {preset.purpose} |" in PAGE.splitlines()
