"""Excerpts and their record of custody."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError, StateError
from holdfast.observe import export as export_module
from holdfast.observe.export import Excerpt, custody_path, describe, export, read_custody
from holdfast.observe.reader import Query
from holdfast.observe.segments import lines
from holdfast.observe.signing import SigningKey
from holdfast.observe.verify import Expected, Report, verify
from support.logs import edit, write

SESSION = f"5e55{7:017x}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path, 20)


def excerpt(log: Path, query: Query) -> Excerpt:
    return export(log, None, query, log.parent / "case.jsonl", signer=SigningKey.open(log.parent), reason="case 17")


def proved(path: Path) -> Report:
    public = SigningKey.open(path.parent).public
    custody = read_custody(path, public)
    assert custody is not None
    report = verify([(path.name, False, lines(path, None))], Expected(public, None, custody.start))
    for said in custody.problems:
        report.add("forged", said)
    return report


def test_an_excerpt_is_proved_on_its_own(log: Path) -> None:
    made = excerpt(log, Query(users=frozenset({"alice"})))
    assert (made.lines, made.withheld) == (20, 0)
    report = proved(made.path)
    assert report.whole, report.problems
    assert not any("not signed" in note for note in report.notes), "the record of custody signs it"
    custody = json.loads(custody_path(made.path).read_text())
    assert (custody["reason"], custody["lines"], custody["first_seq"], custody["last_seq"]) == ("case 17", 20, 2, 21)
    assert custody["selection"] == "user=alice severity=debug"
    assert custody["sha256"] == made.digest
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_what_was_not_asked_for_is_proved_and_not_told(log: Path) -> None:
    edit(log, lambda found: found)
    made = excerpt(log, Query(session=SESSION))
    assert (made.lines, made.withheld) == (1, 0)
    (log.parent / "case.jsonl").unlink()
    custody_path(log.parent / "case.jsonl").unlink()
    made = excerpt(log, Query(events=frozenset({"LOG_OPENED", "LOG_SIGNED"})))
    assert (made.lines, made.withheld) == (2, 20)
    assert "alice" not in made.path.read_text()
    report = proved(made.path)
    assert report.whole, report.problems
    assert report.stubs == 20


@pytest.mark.parametrize(
    "change",
    [
        lambda found: [line.replace(b"fact 7", b"fact 8") for line in found],
        lambda found: found[:5] + found[6:],
        lambda found: found[:-1],
        lambda found: found[1:],
    ],
)
def test_a_changed_excerpt_is_seen(log: Path, change) -> None:
    made = excerpt(log, Query(users=frozenset({"alice"})))
    edit(made.path, change)
    assert not proved(made.path).whole


def test_a_changed_record_of_custody_is_seen(log: Path) -> None:
    made = excerpt(log, Query(users=frozenset({"alice"})))
    file = custody_path(made.path)
    file.write_text(file.read_text().replace("case 17", "case 18"))
    assert any("was changed" in problem.text for problem in proved(made.path).problems)
    file.write_text("{}")
    with pytest.raises(StateError, match="damaged"):
        proved(made.path)


def test_nothing_is_overwritten_and_nothing_empty_is_made(log: Path) -> None:
    (log.parent / "case.jsonl").write_text("mine")
    with pytest.raises(HoldfastError, match="File exists"):
        excerpt(log, Query())
    (log.parent / "case.jsonl").unlink()
    with pytest.raises(HoldfastError, match="no line fits"):
        excerpt(log, Query(users=frozenset({"nobody"})))
    assert not (log.parent / "case.jsonl").exists()


def test_without_a_record_of_custody(log: Path) -> None:
    assert read_custody(log, None) is None


def test_a_selection_in_words() -> None:
    assert describe(Query(session="a", events=frozenset({"B", "A"}))) == "session=a event=A,B severity=debug"


def test_nobody_else_may_read_the_excerpt_or_its_record(log: Path) -> None:
    previous = os.umask(0)
    try:
        made = excerpt(log, Query())
    finally:
        os.umask(previous)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made.path, custody_path(made.path))} == {0o600}


def test_a_record_of_custody_is_put_through_no_link(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    custody_path(log.parent / "case.jsonl").symlink_to(other)
    with pytest.raises(HoldfastError, match=r"custody\.json"):
        excerpt(log, Query())
    assert other.read_text() == "mine"


def test_an_excerpt_that_could_not_be_finished_leaves_nothing_behind(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(export_module, "_custody", full)
        with pytest.raises(HoldfastError, match="No space"):
            excerpt(log, Query())
    assert not (log.parent / "case.jsonl").exists()
    assert proved(excerpt(log, Query()).path).whole
