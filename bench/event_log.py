"""A burst of events into the log, while control messages on the same loop are answered.

The promise: 50,000 events a second from a burst of 500,000, none lost, no control reply later than 20 ms by it.

What is measured is the log alone: three kinds of facts, some 400 octets a line, reported from one event loop in
helpings, with no receiver beside the file and no names replaced; and an echo over TCP on that loop in place of a
control connection. No session is negotiated. Two runs have the observer of the metrics besides. "written" counts
until the last line is in the file (not until it is synced).

Beside it a process that does nothing but answer is asked just as often: what it takes is the machine's own doing
(others run on it), and only what the loop with the log takes beyond that is ours. For the same reason the processor's
time that one event took is shown: in the loop's thread with all that this script itself does, and in all threads.

Prints a table; asserts nothing. `python -m bench.event_log [--events N] [--rate N]`.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import DisconnectReason
from holdfast.events import Event, IpOpened, MppeOpened, SessionEnded
from holdfast.observe.event_log import EventLog
from holdfast.observe.head import read_head
from holdfast.observe.metrics import Metrics
from holdfast.observe.metrics_reading import Reading
from holdfast.observe.segments import lines, segments
from holdfast.observe.signing import PUBLIC_FILE, PublicKey
from holdfast.observe.verify import Expected, verify

FACTS: tuple[Event, ...] = (
    MppeOpened(128, "stateless"),
    IpOpened("10.77.0.1", "10.77.0.10", ("10.77.0.1",)),
    SessionEnded(DisconnectReason.IDLE_TIMEOUT, "no user packet for 900 s", "alice", 1, 2, 3, 4, 5.5),
)
PROBE_PAUSE = 0.002
HELPING = 200
"""Events reported without a pause at most."""
STEP = 0.001
"""Seconds between two helpings of events on the loop: a gateway is busy in small pieces too."""


@dataclass
class Measured:
    """One run. Delays in milliseconds, times in seconds."""

    emitting: float
    written: float
    dropped: int
    lines: int
    whole: bool
    delays: list[float]
    idle: list[float]
    """The same for a process that does nothing else."""
    loop_cpu: float
    """Seconds of processor time of the thread that reports, until all was reported."""
    cpu: float
    """The same of all threads, until all was written."""


class Echo(asyncio.Protocol):
    """Answers what it is asked, as a control connection answers an Echo-Request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


PROBE = """
import socket, sys, time
channel = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print("ready", flush=True)
while True:
    start = time.perf_counter()
    try:
        channel.sendall(bytes(16))
        if not channel.recv(16):
            break
    except OSError:
        break
    print((time.perf_counter() - start) * 1000, flush=True)
    time.sleep(float(sys.argv[2]))
"""


IDLE = """
import asyncio
class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(data)
async def serve():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(serve())
"""
Process = asyncio.subprocess.Process


async def start(program: str, *arguments: str) -> tuple[Process, bytes]:
    """Start a program of ours; return it and its first line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    return process, await process.stdout.readline()


async def finish(probe: Process, reading: "asyncio.Task[bytes]") -> list[float]:
    """End a probe; return what it measured."""
    probe.terminate()
    delays = [float(text) for text in (await reading).split()]
    await probe.wait()
    return delays


async def burst(log: EventLog, count: int, rate: int) -> tuple[float, float]:
    """Report `count` facts at `rate` a second (0: as fast as the loop can).

    Return how many seconds that took, and how many of this thread's processor time.
    """
    start, cpu, sent = time.perf_counter(), time.thread_time(), 0
    while sent < count:
        # What is late is made up for in helpings too: one that grew with the delay would only measure itself.
        due = min(count, sent + HELPING, int((time.perf_counter() - start) * rate) if rate else count)
        while sent < due:
            context = {"session": f"{sent // 3:021x}", "connection": "c" * 21, "client_ip": "203.0.113.7"}
            log.emit(FACTS[sent % len(FACTS)], context)
            sent += 1
        await asyncio.sleep(STEP if rate else 0)
    return time.perf_counter() - start, time.thread_time() - cpu


async def run(directory: Path, count: int, rate: int, *, counted: bool = False) -> Measured:
    """Measure one burst; `counted` puts the metrics beside the log."""
    path = directory / "events.jsonl"
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    idle, idle_port = await start(IDLE)
    probes = [(await start(PROBE, text, str(PROBE_PAUSE)))[0] for text in (str(port), idle_port.decode().strip())]
    readings = [asyncio.create_task(probe.stdout.read()) for probe in probes if probe.stdout is not None]
    log = EventLog(path)
    if counted:
        log.observers.append(Metrics(Reading).observe)
    begin, cpu = time.perf_counter(), time.process_time()
    emitting, loop_cpu = await burst(log, count, rate)
    while log.backlog:  # noqa: ASYNC110 - the log's thread knows nothing of this loop
        await asyncio.sleep(0.01)
    written, cpu = time.perf_counter() - begin, time.process_time() - cpu
    delays, alone = [await finish(probe, reading) for probe, reading in zip(probes, readings, strict=True)]
    idle.terminate()
    await idle.wait()
    server.close()
    log.close()
    parts = ((one.name, one.is_open, lines(one.path, None)) for one in segments(path))
    report = verify(parts, Expected(PublicKey.read(directory / PUBLIC_FILE), read_head(directory, path)))
    return Measured(emitting, written, log.dropped, report.lines, report.whole, delays, alone, loop_cpu, cpu)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="size of the burst")
    parser.add_argument("--rate", type=int, default=50_000, help="events a second of the second run")
    wanted = parser.parse_args(arguments)
    columns = (
        "reported/s",
        "written/s",
        "dropped",
        "whole",
        "us each: loop",
        "all",
        "reply ms: median",
        "99 %",
        "worst",
    )
    print(
        f"{'run':<22}",
        *(f"{name:>{max(9, len(name) + 1)}}" for name in columns),
        "  replies  beside: 99 %  worst",
        sep="",
    )
    runs = (
        ("all at once", 0, False),
        (f"{wanted.rate}/s", wanted.rate, False),
        ("all at once, metrics", 0, True),
        (f"{wanted.rate}/s, metrics", wanted.rate, True),
    )
    for name, rate, counted in runs:
        with tempfile.TemporaryDirectory() as directory:
            found = asyncio.run(run(Path(directory), wanted.events, rate, counted=counted))
        row(name, wanted.events, found)


def row(name: str, count: int, found: Measured) -> None:
    """Print one line of the table."""
    delays, idle = sorted(found.delays), sorted(found.idle)
    print(f"{name:<22}{count / found.emitting:>11.0f}{count / found.written:>10.0f}{found.dropped:>9}", end="")
    print(
        f"{'yes' if found.whole else 'NO':>9}{found.loop_cpu / count * 1e6:>14.1f}{found.cpu / count * 1e6:>9.1f}",
        end="",
    )
    print(f"{statistics.median(delays):>17.2f}{delays[int(len(delays) * 0.99)]:>9.2f}{delays[-1]:>9.2f}", end="")
    print(f"{len(delays):>9}{idle[int(len(idle) * 0.99)]:>14.2f}{idle[-1]:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
