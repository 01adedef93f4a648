"""From a file to its lines, whatever wrote it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from holdfast.capture.logs import windows
from holdfast.capture.logs.lines import Line, read_line
from holdfast.capture.logs.nps import is_nps, read_nps
from holdfast.capture.logs.opening import LogText
from holdfast.capture.logs.records import is_record, read_record
from holdfast.capture.logs.when import Clock


def lines_of(text: LogText, clock: Clock) -> Iterator[Line]:
    """Yield the lines of a log that could be read."""
    numbered = iter(text.lines)
    first = next((line for line in numbered if line.strip()), None)
    if first is None:
        return
    yield from _reader(first)(chain([first], numbered), clock)


def _reader(first: str) -> Callable[[Iterator[str], Clock], Iterator[Line]]:
    if windows.is_xml(first):
        return windows.read_xml
    if windows.is_text(first):
        return windows.read_text
    if windows.columns(first):
        return windows.read_rows
    return read_nps if is_nps(first) else plain_lines


def plain_lines(texts: Iterable[str], clock: Clock) -> Iterator[Line]:
    """Yield the lines of a log with one fact a line."""
    for number, text in enumerate(texts, 1):
        line = read_record(number, text, clock) if is_record(text) else read_line(number, text, clock)
        if line is not None:
            yield line
