"""The catalogue as a page for people: `docs/findings.md` is its output, and a test keeps it so."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry
from holdfast.capture.findings.catalogue import entries

HEAD = """# Findings

Everything that `holdfast diagnose` can find, made from the catalogue. Ids never change.
"""


def render() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    parts += ["\n".join(_entry(entry)) for entry in sorted(entries().values(), key=lambda entry: entry.id)]
    return "\n".join(parts)


def _entry(entry: Entry) -> Iterator[str]:
    yield f"## {entry.id}"
    yield ""
    yield f"*{entry.severity.value}*: {entry.title}. {entry.meaning}"
    yield ""
    yield f"Recognised by: {entry.recognised}"
    if entry.windows_codes:
        yield ""
        yield f"Windows: {', '.join(map(str, entry.windows_codes))}"
    for role, steps in entry.fixes.as_data().items():
        yield ""
        yield from (f"- {role}: {step}" for step in steps)
    if entry.references:
        yield ""
        yield f"Sources: {', '.join(entry.references)}"
    yield ""
