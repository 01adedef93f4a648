"""pcapng, octet for octet and as tshark reads it."""

import shutil
import struct
import subprocess

import pytest

from holdfast.observe.recorder_pcapng import Packet, header, packet_block, write

IP = bytes.fromhex("4500001c00000000402f0000c0000209c0000201") + bytes(8)


def blocks(octets: bytes) -> list[tuple[int, bytes]]:
    """Split a file into its blocks, checking both lengths of each."""
    found = []
    while octets:
        kind, length = struct.unpack("<II", octets[:8])
        assert length % 4 == 0
        assert octets[length - 4 : length] == octets[4:8]
        found.append((kind, octets[8 : length - 4]))
        octets = octets[length:]
    return found


def test_a_file_begins_with_section_and_interface():
    (section, first), (interface, second) = blocks(header("why", "holdfast"))
    assert (section, interface) == (0x0A0D0D0A, 1)
    assert first[:8] == bytes.fromhex("4d3c2b1a01000000")
    assert b"why" in first
    assert second[:8] == struct.pack("<HHI", 101, 0, 0)


def test_a_packet_that_was_cut_says_how_long_it_was():
    ((kind, body),) = blocks(packet_block(Packet(1.5, b"abc", 9, "note")))
    assert kind == 6
    assert struct.unpack("<IIIII", body[:20]) == (0, 0, 1_500_000, 3, 9)
    assert body[20:24] == b"abc\0"
    assert body[24:32] == struct.pack("<HH", 1, 4) + b"note"


def test_a_packet_is_never_shorter_than_what_there_is_of_it():
    ((_, body),) = blocks(packet_block(Packet(0, b"abc", 0)))
    assert struct.unpack("<II", body[12:20]) == (3, 3)
    assert len(body) == 24


def test_long_and_strange_texts_do_not_break_the_file():
    assert len(blocks(write("\ud800" + "x" * 100_000, "holdfast", [Packet(0, b"", 0)]))) == 3


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_times_lengths_and_comments(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_bytes(write("all of it", "holdfast", [Packet(1_700_000_000.25, IP, 99, "zoë was here")]))
    fields = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.comment", "ip.src")
    command = ["tshark", "-r", str(path), "-T", "fields", *(word for name in fields for word in ("-e", name))]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.rstrip("\n").split("\t") == ["1700000000.250000000", "99", "28", "zoë was here", "192.0.2.9"]
