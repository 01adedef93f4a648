"""Drafts: nothing that lies there already is written through, and root leaves files to whom the directory belongs."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.observe.drafts import open_draft
from holdfast.observe.event_log import EventLog, LogOptions
from support.logs import check, write

NOBODY = 65534


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A directory of somebody else, who runs the gateway."""
    made = tmp_path / "theirs"
    made.mkdir(mode=0o700)
    os.chown(made, NOBODY, NOBODY)
    return made


def test_a_draft_is_new_and_private(tmp_path: Path) -> None:
    path, other = tmp_path / "draft", tmp_path / "other"
    other.write_text("mine")
    path.symlink_to(other)
    with open_draft(path) as file:
        file.write(b"new")
    assert (path.read_text(), other.read_text()) == ("new", "mine")
    assert path.stat().st_mode & 0o777 == 0o600
    with open_draft(path, 0o644) as file:
        file.write(b"newer")
    assert path.read_text() == "newer"


@pytest.mark.root
def test_what_root_makes_in_a_log_of_somebody_else_is_theirs(theirs: Path) -> None:
    log = write(theirs, 3000, segment_size=300_000)
    assert check(log).whole
    assert {path.stat().st_uid for path in theirs.iterdir()} == {NOBODY}
    assert len(list(theirs.glob("events-*"))) >= 1


@pytest.mark.root
@pytest.mark.parametrize("name", ["events.jsonl", "events.lock"])
@pytest.mark.parametrize("there", [True, False])
def test_root_writes_through_no_link_of_somebody_else(theirs: Path, tmp_path: Path, name: str, there: bool) -> None:
    target = tmp_path / "target"
    if there:
        target.write_text("mine")
    (theirs / name).symlink_to(target)
    with suppress(StateError):  # or the link is moved aside
        EventLog(theirs / "events.jsonl", options=LogOptions(state=theirs)).close()
    assert target.exists() is there
    if there:
        assert (target.read_text(), target.stat().st_uid) == ("mine", 0)


def test_a_link_of_ones_own_is_followed(tmp_path: Path) -> None:
    log = write(tmp_path, 3)
    (tmp_path / "elsewhere").mkdir()
    shutil.move(log, tmp_path / "elsewhere" / "data")
    log.symlink_to(tmp_path / "elsewhere" / "data")
    assert check(write(tmp_path, 3)).whole
    assert log.is_symlink()
