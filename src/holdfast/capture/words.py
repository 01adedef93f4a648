"""How numbers, times and long lines are put into words, the same in every report."""

import re
from collections.abc import Iterator

MINUTE, HOUR, DAY, YEAR = 60.0, 3600.0, 86400.0, 365.25 * 86400.0
_UNBROKEN = re.compile(r"\S*`[^`]*`\S*|\S+")
"""A word, or a command in backticks with all its spaces: broken by a line's end, it could not be copied."""


def counted(number: int, word: str) -> str:
    """Return a number with its word in the right form."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def lasted(seconds: float) -> str:
    """Return a time in the unit that people would take."""
    if seconds < 10 * MINUTE:
        return f"{seconds:.1f} s"
    for unit, word in ((YEAR, "years"), (DAY, "days"), (HOUR, "hours")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {word}"
    return f"{seconds / MINUTE:.0f} minutes"


def folded(text: str, width: int, before: str = "", after: str = "") -> Iterator[str]:
    """Yield lines of at most `width` columns; what stands in backticks stays in one line, however long it is.

    `before` begins the first line, `after` each further one.
    """
    line, words = before, 0
    for word in _UNBROKEN.findall(text):
        if words and len(line) + 1 + len(word) > width:
            yield line
            line, words = after, 0
        line += f" {word}" if words else word
        words += 1
    if words:
        yield line
