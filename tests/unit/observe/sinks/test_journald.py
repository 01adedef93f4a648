"""The journal's own protocol."""

import array
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.observe.sinks.journald import Journal, message
from unit.observe.sinks.receivers import LINES


def fields(entry: bytes) -> dict[str, bytes]:
    """Read an entry as journald does."""
    found = {}
    while entry:
        name, _, rest = entry.partition(b"\n")
        if b"=" in name:
            key, _, value = name.partition(b"=")
            entry = rest
        else:
            key, length = name, int.from_bytes(rest[:8], "little")
            value, entry = rest[8 : 8 + length], rest[8 + length + 1 :]
        found[key.decode()] = value
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "journal"))
        receiver.settimeout(60)
        yield receiver


def test_each_field_becomes_one_of_the_journal(journal: socket.socket, tmp_path: Path) -> None:
    sink = Journal("journald", tmp_path / "journal")
    sink.send(LINES)
    first, second = (fields(journal.recv(65536)) for _ in LINES)
    assert first["PRIORITY"] == b"4"
    assert first["SYSLOG_IDENTIFIER"] == b"holdfast"
    assert first["HOLDFAST_USER"] == "zoë".encode()
    assert first["MESSAGE"].startswith(b"warning AUTH_FAIL")
    assert second["HOLDFAST_DNS"] == b"10.0.0.1,10.0.0.2"
    sink.close()


def test_a_newline_in_a_value_cannot_pose_as_a_field() -> None:
    line = LINES[0].replace(b"wrong password", b"x\\nPRIORITY=0\\nMESSAGE=all is well")
    found = fields(message(line))
    assert found["HOLDFAST_DETAIL"] == b"x\nPRIORITY=0\nMESSAGE=all is well"
    assert found["PRIORITY"] == b"4"
    assert found["MESSAGE"].startswith(b"warning AUTH_FAIL")


def test_what_is_too_long_for_a_datagram_goes_as_a_sealed_file(journal: socket.socket, tmp_path: Path) -> None:
    journal.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sink = Journal("journald", tmp_path / "journal")
    line = LINES[0].replace(b"wrong password", b"x" * 1_000_000)
    sink.send([line])
    data, ancillary, _, _ = journal.recvmsg(65536, socket.CMSG_SPACE(4))
    assert data == b""
    descriptors = array.array("i")
    descriptors.frombytes(ancillary[0][2][:4])
    with os.fdopen(descriptors[0], "rb") as file:
        file.seek(0)
        assert fields(file.read())["HOLDFAST_DETAIL"] == b"x" * 1_000_000
    with pytest.raises(OSError):
        os.ftruncate(descriptors[0], 0)
    sink.close()


def test_no_journal_is_an_error(tmp_path: Path) -> None:
    sink = Journal("journald", tmp_path / "journal")
    with pytest.raises(OSError, match="No such file"):
        sink.send(LINES)
    sink.close()
