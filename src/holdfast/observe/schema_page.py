"""The schema as the part of a page: a table for the envelope, and one for each event."""

from collections.abc import Iterator, Sequence

from holdfast.observe.retention import class_of
from holdfast.observe.schema import event_types, field_rows, summary

BEGINNING = "## The envelope"
"""The heading with which this part begins; it goes to the end of the page."""

_HEADER = ("| field | type | meaning |", "|---|---|---|")


def page() -> str:
    """Return the part of the page, in Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    rows = list(field_rows())
    yield from (BEGINNING, "", *_HEADER, *_table(rows, ""), "")
    yield "Empty fields of the envelope are left out. What a connection or session was found to be stands in all of its"
    yield from ("later lines.", "", "## The events", "")
    for kind in event_types():
        severity = ", ".join(each.value for each in kind.severities())
        kept = class_of(kind.name, kind.severity.value).value
        yield from (f"### {kind.name}", "", f"{summary(kind)} Severity {severity}, class {kept}.", "")
        own = _table(rows, kind.name)
        if own:
            yield from (*_HEADER, *own, "")


def _table(rows: Sequence[tuple[str, str, str, str]], event: str) -> list[str]:
    return [f"| `{name}` | {kind} | {words} |" for of, name, kind, words in rows if of == event]
