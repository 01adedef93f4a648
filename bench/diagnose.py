"""How fast a large capture is judged, how much memory that takes, and how tshark does on the same file in the same run.

The file is made here: PPTP sessions (control connection, negotiation, encrypted data both ways) among other traffic,
1 GB by default. Both programs must count the same frames with control messages or PPP.

    python -m bench.diagnose [--megabytes N] [--keep FILE] [--without-tshark]
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from holdfast.control.messages import (
    OutgoingCallReply,
    OutgoingCallRequest,
    StartControlConnectionReply,
    StartControlConnectionRequest,
)

SESSIONS = 400
MEGABYTE = 1_000_000
SERVER = IPv4Address("198.51.100.1").packed
TARGET_SPEED, TARGET_MEMORY, TARGET_RATIO = 300, 300, 20
IMIX = (40, 576, 40, 40, 576, 40, 1380, 40, 576, 40, 40, 576)
"""Sizes as the simple Internet mix has them, 7 to 4 to 1; the largest fits into a tunnel."""
DATA_SHARE = 3
"""Of every four bulk frames, this many belong to a session."""


def _frame(source: bytes, destination: bytes, protocol: int, payload: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0) + source + destination
    return bytes(12) + b"\x08\x00" + head + payload


def _record(microseconds: int, frame: bytes) -> bytes:
    second, micro = divmod(microseconds, 1_000_000)
    return struct.pack("<IIII", 1_700_000_000 + second, micro, len(frame), len(frame)) + frame


class Tunnel:
    """One session of the file: its addresses, call IDs and numbers."""

    def __init__(self, index: int) -> None:
        self.client = IPv4Address(0x0A000000 + index + 1).packed
        self.inner = IPv4Address(0x0A4D0100 + index).packed
        self.port = 20_000 + index
        self.call_ids = {True: 10_000 + index, False: index}
        self.numbers = {True: 0, False: 0}
        self._bulk = {(up, size): self._template(up, size) for up in (True, False) for size in {*IMIX}}

    def _template(self, up: bool, size: int) -> bytearray:
        return bytearray(self._gre(up, b"\x00\xfd\x90\x00" + os.urandom(size), 0))

    def _tcp(self, up: bool, sequence: int, acknowledgement: int, flags: int, payload: bytes = b"") -> bytes:
        ports = (self.port, 1723) if up else (1723, self.port)
        head = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledgement, 0x50, flags, 65000, 0, 0)
        return self._ip(up, 6, head + payload)

    def _ip(self, up: bool, protocol: int, payload: bytes) -> bytes:
        source, destination = (self.client, SERVER) if up else (SERVER, self.client)
        return _frame(source, destination, protocol, payload)

    def _gre(self, up: bool, ppp: bytes, number: int) -> bytes:
        return self._ip(up, 47, struct.pack("!HHHHI", 0x3001, 0x880B, len(ppp), self.call_ids[up], number) + ppp)

    def opening(self) -> Iterator[bytes]:
        """Yield the frames from the SYN to the address."""
        yield self._tcp(True, 0, 0, 2)
        yield self._tcp(False, 0, 1, 18)
        yield self._tcp(True, 1, 1, 16)
        position = {True: 1, False: 1}
        messages = [
            (True, StartControlConnectionRequest(0x100, 3, 3, 0, 1, "client", "bench")),
            (False, StartControlConnectionReply(0x100, 1, 0, 3, 3, 0, 1, "server", "bench")),
            (True, OutgoingCallRequest(self.call_ids[False], 1, 300, 10**8, 3, 3, 64, 0, 0, "", "")),
            (False, OutgoingCallReply(self.call_ids[True], self.call_ids[False], 1, 0, 0, 10**8, 64, 0, 0)),
        ]
        for up, message in messages:
            octets = message.encode()
            yield self._tcp(up, position[up], position[not up], 24, octets)
            position[up] += len(octets)
        yield from self._negotiation()

    def _negotiation(self) -> Iterator[bytes]:
        authentication, mppe = b"\x03\x05\xc2\x23\x81", b"\x12\x06\x01\x00\x00\x40"
        address = b"\x03\x06" + self.inner
        for protocol, client, server in (
            (0xC021, b"\x05\x06\x11\x11\x11\x11", authentication),
            (0xC223, b"", b""),
            (0x80FD, mppe, mppe),
            (0x8021, address, b"\x03\x06\x0a\x4d\x00\x01"),
        ):
            if protocol == 0xC223:
                yield self._control(False, protocol, 1, b"\x10" + bytes(16) + b"server")
                yield self._control(True, protocol, 2, b"\x31" + bytes(49) + b"user")
                yield self._control(False, protocol, 3, b"S=" + b"0" * 40)
                continue
            for up, options in ((True, client), (False, server)):
                yield self._control(up, protocol, 1, options)
                yield self._control(not up, protocol, 2, options)

    def _control(self, up: bool, protocol: int, code: int, data: bytes) -> bytes:
        number = self.numbers[up]
        self.numbers[up] += 1
        packet = struct.pack("!BBH", code, 1, 4 + len(data)) + data
        return self._gre(up, b"\xff\x03" + protocol.to_bytes(2) + packet, number)

    def data(self, up: bool, size: int) -> bytes:
        """Return the next frame with user data."""
        frame, number = self._bulk[up, size], self.numbers[up]
        self.numbers[up] += 1
        struct.pack_into("!I", frame, 42, number)
        struct.pack_into("!H", frame, 48, 0x9000 | (number & 0xFFF))
        return bytes(frame)


def _other(size: int) -> bytes:
    datagram = struct.pack("!HHHH", 5000, 6000, size, 0) + bytes(size - 8)
    return _frame(b"\x0a\x63\x00\x01", b"\x0a\x63\x00\x02", 17, datagram)


def make(path: Path, size: int) -> None:
    """Write a capture of about `size` octets."""
    tunnels = [Tunnel(index) for index in range(SESSIONS)]
    others = [_other(size) for size in IMIX]
    written, now, turn = 24, 0, 0
    with path.open("wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for tunnel in tunnels:
            for frame in tunnel.opening():
                now += 500
                written += out.write(_record(now, frame))
        while written < size:
            turn += 1
            now += 20
            bulk = turn % (DATA_SHARE + 1)
            tunnel = tunnels[turn // 32 % SESSIONS]
            place = turn % len(IMIX)
            frame = tunnel.data(turn % 2 == 0, IMIX[place]) if bulk else others[place]
            written += out.write(_record(now, frame))


@dataclass
class Run:
    """One program on the file. Seconds are of CPU, so that a busy machine changes little."""

    seconds: float
    megabytes: float
    """The most memory it used."""
    count: int


def _measured(arguments: list[str]) -> tuple[float, float, str]:
    """Run a program on one core; return its CPU seconds, its peak memory in MB, and its output."""
    core = str(max(os.sched_getaffinity(0)))
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(["taskset", "-c", core, *arguments], stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return seconds, usage.ru_maxrss / 1000, output.read().decode()


COUNTING = (
    "import gc, sys\n"
    "gc.disable()\n"
    "from holdfast.capture.diagnosis import diagnose\n"
    "found = diagnose([sys.argv[1]])\n"
    "counts = found.case.counts\n"
    "print(found.verdict.value, len(found.case.sessions), counts.messages + counts.ppp)\n"
)


def run_holdfast(path: Path) -> Run:
    """Judge the file as the command does, reading, sessions and findings included."""
    seconds, megabytes, output = _measured([sys.executable, "-c", COUNTING, str(path)])
    return Run(seconds, megabytes, int(output.split()[-1]))


def run_tshark(path: Path) -> Run:
    """List the frames with control messages or PPP, as people do."""
    arguments = ["tshark", "-r", str(path), "-Y", "pptp || ppp", "-T", "fields", "-e", "frame.number"]
    seconds, megabytes, output = _measured(arguments)
    return Run(seconds, megabytes, len(output.split()))


def _row(name: str, size: float, run: Run) -> str:
    return f"{name:<10} {run.seconds:>8.2f} {size / run.seconds:>8.0f} {run.megabytes:>10.0f} {run.count:>10}"


def report(size: float, ours: Run, theirs: Run | None) -> bool:
    """Print the table; return whether the targets were met."""
    print(f"{'program':<10} {'CPU s':>8} {'MB/s':>8} {'memory MB':>10} {'frames':>10}")
    print(_row("holdfast", size, ours))
    good = size / ours.seconds >= TARGET_SPEED and ours.megabytes < TARGET_MEMORY
    if theirs is not None:
        ratio, equal = theirs.seconds / ours.seconds, ours.count == theirs.count
        print(_row("tshark", size, theirs))
        print(f"{ratio:.1f} times as fast as tshark; the counts are {'equal' if equal else 'NOT EQUAL'}")
        good = good and ratio >= TARGET_RATIO and equal
    wanted = f"{TARGET_SPEED} MB/s, below {TARGET_MEMORY} MB, {TARGET_RATIO} times tshark"
    print(f"targets: {wanted}: {'met' if good else 'MISSED'}")
    return good


def main(arguments: list[str] | None = None) -> int:
    """Make the file, measure, print; 0 when the targets were met."""
    parser = argparse.ArgumentParser(prog="bench.diagnose", description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="where to leave the capture")
    parser.add_argument("--without-tshark", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = options.keep or Path(folder) / "bench.pcap"
        if not path.exists():
            make(path, options.megabytes * MEGABYTE)
        size = path.stat().st_size / MEGABYTE
        run_holdfast(path)  # warms the page cache for both
        ours = run_holdfast(path)
        with_tshark = not options.without_tshark and shutil.which("tshark") is not None
        theirs = run_tshark(path) if with_tshark else None
        print(f"diagnose: a capture of {size:.0f} MB, {SESSIONS} sessions")
        return 0 if report(size, ours, theirs) else 1


if __name__ == "__main__":
    sys.exit(main())
