"""The signed head in its file."""

from pathlib import Path

import pytest

from holdfast.observe.head import Head, head_path, read_head, write_head
from holdfast.observe.signing import SigningKey, head_message


def test_what_is_written_is_read(tmp_path: Path) -> None:
    key = SigningKey.open(tmp_path)
    head = Head(7, bytes(32), key.sign(head_message(7, bytes(32))))
    log = tmp_path / "events.jsonl"
    write_head(tmp_path, log, head)
    assert read_head(tmp_path, log) == head
    assert head.signed_by(key.public)
    assert not Head(8, bytes(32), head.signature).signed_by(key.public)
    assert read_head(tmp_path, tmp_path / "elsewhere" / "events.jsonl") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"log": 1}', b"\xff", b'{"seq":"x"}'])
def test_a_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "events.jsonl"
    head_path(tmp_path, log).write_bytes(content)
    assert read_head(tmp_path, log) is None
