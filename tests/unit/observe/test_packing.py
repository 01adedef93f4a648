"""Closed segments, packed."""

import gzip
from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.observe.packing import pack, write_segment
from holdfast.observe.segments import lines
from holdfast.secret import Secret

KEY = Secret(bytes(32))
LINES = [b"line %d\n" % number for number in range(50_000)]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "events-000000000001.jsonl"
    path.write_bytes(b"".join(LINES))
    return path


def test_compressed_it_is_small_and_any_tool_reads_it(plain: Path) -> None:
    packed = pack(plain, None)
    assert packed.name == "events-000000000001.jsonl.gz"
    assert gzip.decompress(packed.read_bytes()) == b"".join(LINES)
    assert not plain.exists()
    assert packed.stat().st_mode & 0o777 == 0o600
    assert packed.stat().st_size < 200_000


def test_encrypted_it_is_read_with_the_key_only(plain: Path) -> None:
    packed = pack(plain, KEY)
    assert packed.name == "events-000000000001.jsonl.gz.sealed"
    assert list(lines(packed, KEY)) == LINES
    with pytest.raises(StateError, match="does not open"):
        list(lines(packed, Secret(bytes(31) + b"x")))


def test_what_fails_leaves_the_old_file_and_nothing_else(plain: Path) -> None:
    def broken():
        yield b"line 0\n"
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_segment(plain, broken(), None)
    assert plain.read_bytes() == b"".join(LINES)
    assert [path.name for path in plain.parent.iterdir()] == [plain.name]


def test_encryption_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no key"):
        write_segment(tmp_path / "events-000000000001.jsonl.gz.sealed", [b"x\n"], None)
