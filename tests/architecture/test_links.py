"""Every page that another one points to is there, and every page of `docs` can be found from its list."""

import re
from pathlib import Path

import pytest

from architecture.source_tree import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def links(page: Path) -> set[Path]:
    """Return the files that a page points to."""
    found = LINK.findall(page.read_text(encoding="utf-8"))
    return {(page.parent / link).resolve() for link in found if "://" not in link and not link.startswith("mailto:")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert not [str(link) for link in links(page) if not link.exists()]


def test_every_page_is_in_the_list() -> None:
    listed = links(DOCS / "README.md")
    assert not [
        str(page) for page in DOCS.rglob("*.md") if page.resolve() not in listed | {(DOCS / "README.md").resolve()}
    ]
