"""The page about the event log says what the code says."""

from pathlib import Path

from holdfast.observe.schema_page import BEGINNING, page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "event-log.md"


def test_the_tables_are_those_of_the_schema() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert BEGINNING + written.partition(BEGINNING)[2] == page(), "holdfast events schema --markdown prints them"
