"""A file replaced for a while."""

from pathlib import Path

import pytest

from holdfast.errors import HostError
from holdfast.network.files import ReplaceFile
from holdfast.network.kernel import Kernel

KERNEL = Kernel()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "resolv.conf"


def replace(path: Path) -> tuple[ReplaceFile, dict[str, object]]:
    change = ReplaceFile(str(path), "nameserver 10.0.0.1\n")
    memory = change.inspect(KERNEL)
    assert memory is not None
    change.apply(KERNEL)
    return ReplaceFile.from_plain(change.plain()), memory


def test_content_mode_and_owner_come_back(path: Path) -> None:
    path.write_bytes(b"nameserver 192.0.2.1\n\xff")
    path.chmod(0o640)
    before = path.stat()
    change, memory = replace(path)
    assert path.read_text() == "nameserver 10.0.0.1\n"
    assert change.undo(KERNEL, memory)
    assert path.read_bytes() == b"nameserver 192.0.2.1\n\xff"
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert not change.undo(KERNEL, memory)


def test_a_link_comes_back_as_a_link_and_its_target_is_not_written(path: Path) -> None:
    target = path.with_name("stub")
    target.write_text("nameserver 127.0.0.53\n")
    path.symlink_to("stub")
    change, memory = replace(path)
    assert target.read_text() == "nameserver 127.0.0.53\n"
    assert not path.is_symlink()
    assert change.undo(KERNEL, memory)
    assert str(path.readlink()) == "stub"


def test_a_file_that_was_not_there_goes_again(path: Path) -> None:
    change, memory = replace(path)
    assert change.undo(KERNEL, memory)
    assert list(path.parent.iterdir()) == []


def test_what_someone_else_wrote_since_stays(path: Path) -> None:
    path.write_text("old\n")
    change, memory = replace(path)
    path.write_text("theirs\n")
    assert not change.undo(KERNEL, memory)
    assert path.read_text() == "theirs\n"


def test_the_same_text_is_nothing_to_do(path: Path) -> None:
    path.write_text("nameserver 10.0.0.1\n")
    assert ReplaceFile(str(path), "nameserver 10.0.0.1\n").inspect(KERNEL) is None


def test_a_mount_point_is_written_in_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("old\n")

    def busy(_self: Path, _target: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    change, memory = replace(path)
    assert path.read_text() == "nameserver 10.0.0.1\n"
    assert change.undo(KERNEL, memory)
    assert path.read_text() == "old\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["resolv.conf"]


def test_a_file_that_cannot_be_written_is_one_sentence(path: Path) -> None:
    change = ReplaceFile(str(path.parent / "missing" / "resolv.conf"), "x")
    with pytest.raises(HostError, match=r"resolv\.conf: cannot write the file: No such file"):
        change.apply(KERNEL)
