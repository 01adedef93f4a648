from pathlib import Path

from holdfast.capture.findings.catalogue import entries
from holdfast.capture.findings_page import render

PAGE = Path(__file__).resolve().parents[3] / "docs" / "findings.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "write docs/findings.md anew from holdfast.capture.findings_page"
    )


def test_every_finding_has_its_place() -> None:
    page = render()
    assert all(f"\n## {word}\n" in page for word in entries())
