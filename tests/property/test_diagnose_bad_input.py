"""The command itself before files that are none: a sentence, an exit code, bounded memory, and an end."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from support.scene import SYN, Scene, pcap

MEGABYTE = 1 << 20
MOST = 300 * MEGABYTE
"""What judging any capture may take."""
PATIENCE = 250
COMMAND = """
import os, pathlib, sys
from holdfast.cli.main import main
try:
    raise SystemExit(main())
finally:
    os.write(int(os.environ["STATUS_TO"]), pathlib.Path("/proc/self/status").read_bytes())
"""
"""Tells the memory of this program alone: what the kernel counts for a child begins with that of its parent."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of the command ended."""

    code: int
    output: str
    memory: int


Feed = Callable[[int, Callable[[], None]], None]
"""Writes to a pipe, and may press Ctrl-C."""


def run(arguments: list[str], feed: Feed | None = None) -> Run:
    """Run `holdfast diagnose`; `feed` writes to its standard input."""
    read, write = os.pipe()
    status, status_to = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "diagnose", *arguments],
        stdin=read,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "STATUS_TO": str(status_to)},
        pass_fds=[status_to],
    )
    os.close(read)
    os.close(status_to)
    press = partial(process.send_signal, signal.SIGINT)
    feeder = threading.Thread(target=_fed, args=(write, feed, press), daemon=True)
    feeder.start()
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    assert process.stdout is not None
    output = process.stdout.read().decode()
    process.stdout.close()
    with os.fdopen(status) as told:
        peak = re.search(r"VmHWM:\s*(\d+) kB", told.read())
    process.wait()
    timer.cancel()
    timer.join()
    feeder.join(PATIENCE)
    assert peak is not None, output
    return Run(process.returncode, output, int(peak[1]) * 1024)


def _fed(pipe: int, feed: Feed | None, press: Callable[[], None]) -> None:
    try:
        if feed is not None:
            feed(pipe, press)
    except BrokenPipeError:
        pass
    finally:
        os.close(pipe)


def noise(pipe: int, _: Callable[[], None]) -> None:
    """Write octets without end."""
    octets = random.Random(7).randbytes(MEGABYTE)
    while True:
        os.write(pipe, octets)


def strangers(first: int) -> Iterator[bytes]:
    """Yield frames of half-open sessions, each from another address."""
    opening = Scene().tcp(True, SYN).frames[0][1]
    for number in count(first):
        yield opening[:26] + (0x0A000000 + number % 0xFFFFFF).to_bytes(4) + opening[30:]


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "empty"),
        (b"x", "neither"),
        (b"GMBU" + bytes(100), "Network Monitor"),
    ],
)
def test_what_is_no_capture(tmp_path: Path, octets: bytes, sentence: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(octets)
    found = run([str(path)])
    assert found.code == 2
    assert sentence in found.output
    assert "Traceback" not in found.output


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom", "."])
def test_what_is_no_file(name: str) -> None:
    found = run([name])
    assert found.code == 2
    assert "Traceback" not in found.output
    assert found.memory < MOST


def test_noise_without_end_ends_at_once() -> None:
    found = run(["-"], noise)
    assert found.code == 2
    assert "neither" in found.output
    assert found.memory < MOST


def test_a_capture_without_end_is_reported_at_ctrl_c() -> None:
    """Half sessions by the hundred thousand come in; memory stays bounded, and Ctrl-C still gets a report."""

    def feed(pipe: int, press: Callable[[], None]) -> None:
        os.write(pipe, pcap([]))
        frames = strangers(0)
        for start in count(0, 2000):
            records = [(1000.0 + (start + step) / 1000, next(frames)) for step in range(2000)]
            os.write(pipe, pcap(records)[24:])
            if start == 100_000:
                press()

    found = run(["-"], feed)
    assert found.code in (0, 1)
    assert "frames" in found.output
    assert found.memory < MOST


def test_a_hundred_thousand_half_sessions(tmp_path: Path) -> None:
    frames = strangers(0)
    path = tmp_path / "half.pcap"
    path.write_bytes(pcap([(1000.0 + number / 1000, next(frames)) for number in range(100_000)]))
    found = run([str(path)])
    assert found.code in (0, 1)
    assert "more sessions" in found.output
    assert found.memory < MOST


def test_a_bomb_in_gzip(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pcap.gz"
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as out:
        out.write(packer.compress(pcap([])))
        for _ in range(24):
            out.write(packer.compress(bytes(16 * MEGABYTE)))
        out.write(packer.flush())
    found = run([str(path)])
    assert found.code == 0
    assert "expand" in found.output
    assert found.memory < MOST


def test_another_planets_link_type(tmp_path: Path) -> None:
    path = tmp_path / "alien.pcap"
    path.write_bytes(pcap(Scene().up().frames, link_type=147))
    found = run([str(path)])
    assert found.code == 2
    assert "link type 147" in found.output


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path: Path) -> None:
    whole = pcap(Scene().call().lcp().refuse().goodbye(False).frames)
    path = tmp_path / "damaged.pcap"
    path.write_bytes(whole + b"\xff" * 40 + whole[24:])
    found = run([str(path)])
    assert found.code == 1
    assert "auth-rejected" in found.output
