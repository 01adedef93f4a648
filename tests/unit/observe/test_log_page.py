"""A bounded piece of the log."""

from pathlib import Path

import pytest

from holdfast.events import PeerIdentified, Severity
from holdfast.observe import log_page
from holdfast.observe.chain import seq_of
from holdfast.observe.event_log import EventLog
from holdfast.observe.log_page import read_page
from holdfast.observe.packing import pack
from holdfast.observe.reader import Query
from holdfast.observe.segments import segments
from support.logs import write

ONLY = Query(events=frozenset({"IDENTIFICATION"}))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two parts, the first of them packed; 1500 facts in all."""
    path = write(tmp_path, 1000)
    writer = EventLog(path)
    writer.request(lambda file: file.rotate()).result(60)
    for number in range(500):
        writer.emit(PeerIdentified(f"later {number}"), {})
    writer.close()
    pack(segments(path)[0].path, None)
    return path


def test_pages_make_the_whole(log: Path) -> None:
    found, at, pages, more = [], 0, 0, True
    while more:
        lines, at, more = read_page(log, None, ONLY, at, 10_000)
        assert len(lines) < log_page.MOST_LINES + log_page.BREATH
        found += lines
        pages += 1
    assert len(found) == 1500
    assert [seq_of(line) for line in found] == sorted({seq_of(line) for line in found})
    assert 3 <= pages <= 5


def test_a_page_ends_where_it_was_told_to(log: Path) -> None:
    lines, at, more = read_page(log, None, Query(), 10, 20)
    assert ([seq_of(line) for line in lines], at, more) == (list(range(11, 21)), 20, False)


def test_who_wants_little_costs_no_more(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_page, "MOST_LOOKED_AT", 100)
    lines, at, more = read_page(log, None, Query(severity=Severity.ERROR), 0, 10_000)
    assert (lines, more) == ([], True)
    assert 100 <= at < 200


def test_long_lines_fill_a_page_too(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_page, "MOST_OCTETS", 1000)
    lines, _, more = read_page(log, None, Query(), 0, 10_000)
    assert len(lines) <= log_page.BREATH
    assert more


def test_behind_the_end_there_is_nothing(log: Path) -> None:
    assert read_page(log, None, Query(), 9_000, 9_000) == ([], 9_000, False)
