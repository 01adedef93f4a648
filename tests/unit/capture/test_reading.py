import gzip
import random
import struct
import zlib
from pathlib import Path

import pytest

from holdfast.capture.reading import UnreadableCaptureError, read
from support.scene import Scene, pcap


def counts(path: Path) -> tuple[int, int, int]:
    index = read([str(path)])
    return index.counts.frames, index.counts.messages, index.counts.ppp


EXPECTED = (48, 5, 37)


@pytest.fixture
def scene() -> Scene:
    return Scene().up().goodbye()


def swapped(octets: bytes) -> bytes:
    """Return a little-endian pcap as a big-endian one with nanoseconds."""
    out = struct.pack(">IHHiIII", 0xA1B23C4D, *struct.unpack_from("<HHiIII", octets, 4))
    at = 24
    while at < len(octets):
        second, micro, captured, length = struct.unpack_from("<IIII", octets, at)
        out += struct.pack(">IIII", second, micro * 1000, captured, length) + octets[at + 16 : at + 16 + captured]
        at += 16 + captured
    return out


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(link_type: int = 1, options: bytes = b"") -> bytes:
    return block(1, struct.pack("<HHI", link_type, 0, 0) + options)


def enhanced(number: int, units: int, frame: bytes, options: bytes = b"") -> bytes:
    head = struct.pack("<IIIII", number, units >> 32, units & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame + bytes(-len(frame) % 4) + options)


def pcapng(scene: Scene) -> list[bytes]:
    return [enhanced(0, round(time * 1_000_000), frame) for time, frame in scene.frames]


def test_a_plain_pcap(scene: Scene, tmp_path: Path) -> None:
    assert counts(scene.write(tmp_path)) == EXPECTED


def test_the_other_byte_order_with_nanoseconds(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "big.pcap"
    path.write_bytes(swapped(pcap(scene.frames)))
    assert counts(path) == EXPECTED
    assert read([str(path)]).counts.span_ns == read([str(scene.write(tmp_path))]).counts.span_ns


def test_gzip(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "scene.pcap.gz"
    path.write_bytes(gzip.compress(pcap(scene.frames)))
    assert counts(path) == EXPECTED


def test_zstd_without_compression_and_in_several_frames(scene: Scene, tmp_path: Path) -> None:
    octets = pcap(scene.frames)
    path = tmp_path / "scene.pcap.zst"
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"note"
    path.write_bytes(zstd_stored(octets[:1000]) + skippable + zstd_stored(octets[1000:]))
    assert counts(path) == EXPECTED


def zstd_stored(octets: bytes) -> bytes:
    """Return one zstd frame whose blocks are raw (RFC 8878 section 3.1.1)."""
    assert 256 <= len(octets) < 65536 + 256
    head = struct.pack("<IBBH", 0xFD2FB528, 0x40, 0x58, len(octets) - 256)
    return head + ((len(octets) << 3) | 1).to_bytes(3, "little") + octets


def test_pcapng_with_comments_two_interfaces_and_their_units(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "scene.pcapng"
    interfaces = interface() + interface(101, option(9, b"\x09"))
    raw = scene.frames[-1][1][14:]
    last = enhanced(1, round(scene.now * 1_000_000_000), raw, option(1, "späte Bemerkung".encode()) + bytes(4))
    path.write_bytes(SECTION + interfaces + b"".join(pcapng(scene)) + last)
    index = read([str(path)])
    assert index.counts.frames == EXPECTED[0] + 1
    assert index.files[0].comments == [(EXPECTED[0] + 1, "späte Bemerkung")]
    assert index.files[0].link_types == [1, 101]
    assert index.counts.span_ns is not None
    assert abs(index.counts.span_ns[1] / 1e9 - scene.now) < 0.001


def test_damage_in_the_middle_of_a_pcapng_is_skipped_and_told(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "scene.pcapng"
    blocks = pcapng(scene)
    broken = [*blocks[:20], b"\xde\xad\xbe\xef" * 50, *blocks[20:]]
    path.write_bytes(SECTION + interface() + b"".join(broken))
    index = read([str(path)])
    assert (index.counts.frames, index.counts.messages, index.counts.ppp) == EXPECTED
    assert [kind for kind, _, _ in index.files[0].notes] == ["damaged"]


def test_damage_in_the_middle_of_a_pcap_is_skipped_and_told(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "scene.pcap"
    whole = pcap(scene.frames)
    middle = len(pcap(scene.frames[:20]))
    path.write_bytes(whole[:middle] + b"\xff" * 333 + whole[middle:])
    index = read([str(path)])
    assert index.counts.frames == EXPECTED[0]
    assert [kind for kind, _, _ in index.files[0].notes] == ["damaged"]


def test_a_cut_last_record_is_left_out_and_told(scene: Scene, tmp_path: Path) -> None:
    path = scene.write(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    index = read([str(path)])
    assert index.counts.frames == EXPECTED[0] - 1
    assert [kind for kind, _, _ in index.files[0].notes] == ["truncated"]


def test_several_files_are_one_in_the_order_of_time(scene: Scene, tmp_path: Path) -> None:
    odd, even = scene.frames[1::2], scene.frames[::2]
    paths = []
    for name, frames in (("odd", odd), ("even", even)):
        paths.append(tmp_path / f"{name}.pcap")
        paths[-1].write_bytes(pcap(frames))
    index = read([str(path) for path in paths])
    assert (index.counts.frames, index.counts.messages, index.counts.ppp) == EXPECTED
    assert index.counts.out_of_order == 0
    places = [segment.place for segment in index.control(1)[0].segments]
    assert [place[1] for place in places[:4]] == [1, 0, 1, 0]


def test_a_pcapng_frame_of_an_interface_that_is_not_there_is_left_out_and_told(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "scene.pcapng"
    blocks = pcapng(scene)
    path.write_bytes(SECTION + interface() + enhanced(7, 1, bytes(60)) + b"".join(blocks))
    index = read([str(path)])
    assert index.counts.messages == EXPECTED[1]
    assert [(kind, "first frame 1" in text) for kind, text, _ in index.files[0].notes] == [("left-out", True)]


def test_one_bad_file_among_good_ones_is_told(scene: Scene, tmp_path: Path) -> None:
    index = read([str(tmp_path / "nowhere.pcap"), str(scene.write(tmp_path))])
    assert index.files[0].error == ("there is no such file", "")
    assert index.counts.frames == EXPECTED[0]


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "empty"),
        (b"x", "neither"),
        (random.Random(1).randbytes(5000), "neither"),
        (b"GMBU" + bytes(100), "Network Monitor"),
        (b"PK\x03\x04" + bytes(100), "zip"),
        (bytes(5000), "neither"),
    ],
)
def test_what_is_no_capture_is_told_in_a_sentence(tmp_path: Path, octets: bytes, sentence: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(octets)
    with pytest.raises(UnreadableCaptureError, match=sentence):
        read([str(path)])


def test_a_directory_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCaptureError, match="directory"):
        read([str(tmp_path)])


def test_a_link_type_of_another_planet_is_told(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "alien.pcap"
    path.write_bytes(pcap(scene.frames, link_type=147))
    index = read([str(scene.write(tmp_path)), str(path)])
    assert index.counts.unknown_link == EXPECTED[0]
    assert "147" in index.files[1].notes[0][1]


def test_nothing_but_a_link_type_of_another_planet_cannot_be_read(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "alien.pcap"
    path.write_bytes(pcap(scene.frames, link_type=147))
    with pytest.raises(UnreadableCaptureError, match="147"):
        read([str(path)])


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pcap.gz"
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as out:
        out.write(packer.compress(pcap([])))
        zeros = bytes(1 << 24)
        for _ in range(24):
            out.write(packer.compress(zeros))
        out.write(packer.flush())
    index = read([str(path)])
    assert index.files[0].notes[-1][0] == "expansion"
    assert index.counts.frames < (400 << 20) / 16


def test_progress_can_stop_the_pass(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    path.write_bytes(pcap([(1.0, bytes(60))] * 70_000))
    calls: list[tuple[int, int | None]] = []

    def stop(done: int, size: int | None) -> bool:
        calls.append((done, size))
        return False

    index = read([str(path)], progress=stop)
    assert index.stopped
    assert len(calls) == 1
    assert calls[0][1] == path.stat().st_size


def test_a_progress_that_fails_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    path.write_bytes(pcap([(1.0, bytes(60))] * 40_000))

    def fail(_done: int, _size: int | None) -> bool:
        raise ValueError("no terminal")

    with pytest.raises(ValueError, match="no terminal"):
        read([str(path)], progress=fail)


def test_pptp_on_another_port_is_found_by_its_cookie(tmp_path: Path) -> None:
    there = Scene(server_port=7723).up().goodbye().write(tmp_path)
    assert counts(there) == EXPECTED
    assert read([str(there)], port=7723).control_count == 1


def test_pptp_on_two_ports_is_read_where_it_belongs_or_where_it_is_asked_for(tmp_path: Path) -> None:
    other = Scene(server_port=7723, port=41000, client_call=101, server_call=201).call()
    both = str(Scene().call().together(other).write(tmp_path))
    for port, ends in ((None, 1723), (1723, 1723), (7723, 7723)):
        index = read([both], port=port)
        assert [flow.server[1] for flow in index.control(10)] == [ends]
        assert index.counts.elsewhere == 7723 + 1723 - ends


def test_a_web_server_on_another_port_is_no_pptp(tmp_path: Path) -> None:
    scene = Scene(server_port=80).handshake().tcp(True, 24, b"GET / HTTP/1.1\r\n\r\n" * 8)
    index = read([str(scene.write(tmp_path))])
    assert (index.counts.elsewhere, index.control_count) == (0, 0)
