import os
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.watch.shelf import Shelf, ShelfLimits

NOW = 1_767_323_045 * 10**9
MINUTE = 60 * 10**9


def shelf(folder: Path, trouble: list[str] | None = None, **limits: int) -> Shelf:
    return Shelf(folder, ShelfLimits(**limits), (trouble if trouble is not None else []).append)


def test_a_name_says_when_who_and_what(tmp_path: Path) -> None:
    kept = shelf(tmp_path / "keep")
    path = kept.keep(NOW, "203.0.113.5", "gre-missing", b"octets")
    assert Path(path).name == "20260102T030405Z_203.0.113.5_gre-missing.pcapng"
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert Path(kept.keep(NOW, "203.0.113.5", "gre-missing", b"x")).name.endswith("_1.pcapng")
    assert "2001-db8--1" in kept.keep(NOW, "2001:db8::1", "gre-missing", b"x")


def test_a_longer_capture_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    first = kept.keep(NOW, "203.0.113.5", "gre-lost", b"short")
    assert kept.keep(NOW + MINUTE, "203.0.113.5", "gre-lost", b"longer", instead=first) == first
    assert Path(first).read_bytes() == b"longer"
    Path(first).unlink()
    assert kept.keep(NOW + MINUTE, "203.0.113.5", "gre-lost", b"again", instead=first) == first


def test_number_and_size_are_bounded_and_nothing_else_is_touched(tmp_path: Path) -> None:
    foreign = [tmp_path / "mine.pcapng", tmp_path / "notes.txt"]
    for path in foreign:
        path.write_bytes(b"x" * 500)
    kept = shelf(tmp_path, files=3, octets=250)
    paths = [Path(kept.keep(NOW + number * MINUTE, "203.0.113.5", "gre-lost", b"x" * 100)) for number in range(5)]
    for number, path in enumerate(paths):
        if path.exists():
            os.utime(path, ns=(NOW + number, NOW + number))
    assert [path.exists() for path in paths] == [False, False, False, True, True]
    assert all(path.exists() for path in foreign)
    assert kept.keep(NOW, "203.0.113.5", "gre-lost", b"x" * 300) == ""


def test_no_flood_of_files(tmp_path: Path) -> None:
    kept = shelf(tmp_path, per_minute=2)
    names = [kept.keep(NOW, "203.0.113.5", "gre-lost", b"x") for _ in range(4)]
    assert [bool(name) for name in names] == [True, True, False, False]
    assert kept.keep(NOW + MINUTE, "203.0.113.5", "gre-lost", b"x")


def test_trouble_is_told_once(tmp_path: Path) -> None:
    trouble: list[str] = []
    kept = shelf(tmp_path / "keep", trouble)
    (tmp_path / "keep").rmdir()
    (tmp_path / "keep").write_text("a file is in the way")
    assert [kept.keep(NOW, "203.0.113.5", "gre-lost", b"x") for _ in range(3)] == ["", "", ""]
    assert len(trouble) == 1


def test_a_place_for_everybody_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StateError, match="other users may write"):
        shelf(tmp_path)
