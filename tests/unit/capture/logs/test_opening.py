import gzip
import io
import sys
from pathlib import Path

import pytest

from holdfast.capture.logs.opening import LINE_MOST, open_log
from holdfast.errors import HoldfastError

TEXT = "pppd[1]: eins\npptpd[2]: zwei ä\n"


def lines(path: Path) -> list[str]:
    return list(open_log(str(path)).lines)


@pytest.mark.parametrize(
    "octets",
    [
        TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(),
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT[:14].encode()) + gzip.compress(TEXT[14:].encode()),
    ],
    ids=["utf-8", "utf-16", "utf-16-le", "bom", "gzip", "gzip-in-two"],
)
def test_whatever_it_lies_in(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(octets)
    assert lines(path) == TEXT.splitlines()


def test_zstd(tmp_path: Path) -> None:
    body = TEXT.encode()
    header = (len(body) << 3 | 1).to_bytes(3, "little")
    path = tmp_path / "log.zst"
    path.write_bytes(bytes.fromhex("28b52ffd20") + bytes([len(body)]) + header + body)
    assert lines(path) == TEXT.splitlines()


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    with path.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        assert list(open_log("-").lines) == TEXT.splitlines()


def test_huge_lines_and_binary_rubbish_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * 3_000_000 + b"\npppd[1]: Exit.\n" + bytes(200_000))
    text = open_log(str(path))
    found = list(text.lines)
    assert [len(line) for line in found] == [LINE_MOST, 14, LINE_MOST]
    assert any("longer than" in note for note in text.notes)
    path.write_bytes(bytes(range(256)) * 20 + bytes(5000))
    text = open_log(str(path))
    assert sum(map(len, text.lines)) > 0
    assert any("no text file" in note for note in text.notes)


def test_a_damaged_archive_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    packed = gzip.compress("".join(f"pppd[{number}]: Exit. {number * 7919}\n" for number in range(90_000)).encode())
    path.write_bytes(packed[: len(packed) // 2])
    text = open_log(str(path))
    assert next(text.lines).startswith("pppd[0]")
    assert len(list(text.lines)) > 1000
    assert any("stopped early" in note for note in text.notes)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="directory"):
        open_log(str(tmp_path))
    with pytest.raises(HoldfastError, match="no such file"):
        open_log(str(tmp_path / "nowhere"))
    path = tmp_path / "events-000000000001.jsonl.gz.sealed"
    path.write_bytes(b"HFSEAL1\n" + bytes(40))
    with pytest.raises(HoldfastError, match="encrypted"):
        open_log(str(path))


def test_nothing_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"")
    assert lines(path) == []
