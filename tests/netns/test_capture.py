"""`holdfast capture`: the same command at both ends makes files that `diagnose` can compare, with tags and noise."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.capture.diagnosis import compare_ends, diagnose
from lab.network import Namespace, join, namespace
from support.dialling import HOLDFAST, wait
from support.scene import CLIENT, SERVER, Scene, ethernet, ip
from support.watching import Wire

pytestmark = pytest.mark.root
TAGS = [b"", b"\x81\x00\x00\x07", b"\x88\xa8\x00\x05\x81\x00\x00\x07"]
SNAP = 256


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    with namespace("near") as near, namespace("far") as far:
        join(near, "192.0.2.2/24", far, "192.0.2.1/24", label="wire")
        yield near, far


def start(place: Namespace, file: Path, *options: str) -> "subprocess.Popen[bytes]":
    """Start a capture and wait until tcpdump has written the head of the file."""
    process = place.start(*HOLDFAST, "capture", "-i", "wire", *options, file, stdout=subprocess.DEVNULL)
    wait(lambda: file.exists() and file.stat().st_size >= 24, 60, lambda: "no capture began")
    return process


def test_both_ends_with_the_same_command(pair: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    files = [tmp_path / "near.pcap", tmp_path / "far.pcap"]
    running = [start(place, file) for place, file in zip(pair, files, strict=True)]
    wire = Wire(pair[0], "wire")
    for number, tag in enumerate(TAGS):
        scene = Scene(port=40100 + number, client_call=300 + number, server_call=600 + number)
        scene.up().data(True, 900).icmp(3, 4, rest=1400).goodbye()
        for _, frame in scene.frames:
            wire.send(b"\x02" + bytes(11) + tag + frame[12:])
    for _ in range(50):
        wire.send(b"\x02" + bytes(11) + ethernet(ip(CLIENT, SERVER, 17, b"nobody asked for this"))[12:])
    wire.close()
    sent = sum(len(Scene().up().data(True, 900).icmp(3, 4, rest=1400).goodbye().frames) for _ in TAGS)
    for file in files:
        wait(lambda file=file: diagnose([str(file)]).case.counts.frames >= sent, 60, lambda: "frames are missing")
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    for file in files:
        judged = diagnose([str(file)])
        assert len(judged.case.sessions) == len(TAGS)
        assert judged.case.counts.frames == sent, "what nobody asked for is not in it"
        assert judged.case.counts.icmp == len(TAGS)
        assert judged.case.counts.cut >= len(TAGS), "what users send is cut"
    comparison = compare_ends([str(files[0])], [str(files[1])])
    assert len(comparison.pairs) == len(TAGS)
    assert not [pair for pair in comparison.pairs if pair.up.vanished or pair.down.vanished]


def test_it_ends_when_its_time_is_over(pair: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    process = start(pair[1], tmp_path / "short.pcap", "--seconds", "1")
    assert process.wait(120) == 0
    assert (tmp_path / "short.pcap").stat().st_mode & 0o777 == 0o600
