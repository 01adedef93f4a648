"""Where a sink stands, over restarts."""

from pathlib import Path

from holdfast.observe.sinks.bookmark import FOLDER, Bookmark, forget_others


def mark(state: Path, name: str = "syslog+tls://log.example:6514") -> Bookmark:
    return Bookmark(state, name, state / "events.jsonl", None)


def test_the_last_number_written_is_read(tmp_path: Path) -> None:
    book = mark(tmp_path)
    assert book.read() is None
    for number in (7, 123_456, 8):
        book.write(number)
        assert mark(tmp_path).read() == number
    book.close()
    assert mark(tmp_path, "syslog+tls://log.example:6515").read() is None


def test_rubbish_is_no_bookmark(tmp_path: Path) -> None:
    mark(tmp_path).write(7)
    (path,) = (tmp_path / FOLDER).iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    for rubbish in (b"", b"seven\n", b"\xff\xfe", b"-7\n"):
        path.write_bytes(rubbish)
        assert mark(tmp_path).read() is None


def test_a_place_that_cannot_be_written_costs_the_bookmark_only(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    book = mark(tmp_path)
    book.write(7)
    assert book.read() is None
    book.close()


def test_sinks_that_are_not_configured_any_more_are_forgotten(tmp_path: Path) -> None:
    mark(tmp_path, "journald").write(3)
    mark(tmp_path, "file:/a").write(4)
    forget_others(tmp_path, ["journald"])
    assert mark(tmp_path, "journald").read() == 3
    assert mark(tmp_path, "file:/a").read() is None
