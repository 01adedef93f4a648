import stat
from pathlib import Path

import pytest

from holdfast.capture.inside import InnerPacket
from holdfast.capture.moment import Moment
from holdfast.capture.pcapng_writer import write
from holdfast.capture.reading import read
from holdfast.errors import HoldfastError
from support.scene import ip


def test_our_own_reader_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "inside.pcapng"
    packets = [
        InnerPacket(Moment(1_700_000_000_000_000_000 + n, 0, n), True, ip("10.0.0.1", "10.0.0.2", 17, bytes(n)))
        for n in (8, 9)
    ]
    assert write(path, packets) == 2
    index = read([str(path)])
    assert index.counts.frames == 2
    assert index.counts.span_ns == (1_700_000_000_000_000_008, 1_700_000_000_000_000_009)
    assert index.files[0].comments == [(1, "from frame 8"), (2, "from frame 9")]
    assert index.files[0].link_types == [101]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "inside.pcapng"
    write(path, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nor_one_that_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "inside.pcapng"
    path.write_text("old")
    path.chmod(0o644)
    write(path, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert write(Path("/dev/null"), []) == 0


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="cannot be written"):
        write(tmp_path / "no" / "file", [])
