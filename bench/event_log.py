"""A burst of events into the log, while control messages on the same loop are answered.

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
from holdfast.observe.segments import lines, segments
from holdfast.observe.signing import PUBLIC_FILE, PublicKey
from holdfast.observe.verify import Expected, verify

FACTS: tuple[Event, ...] = (
    MppeOpened(128, "stateless"),
    IpOpened("10.77.0.1", "10.77.0.10", ("10.77.0.1",)),
    SessionEnded(DisconnectReason.IDLE_TIMEOUT, "no user packet for 900 s", "alice", 1, 2, 3, 4, 5.5),
)
PROBE_PAUSE = 0.002
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


async def burst(log: EventLog, count: int, rate: int) -> float:
    """Report `count` facts at `rate` a second (0: as fast as the loop can); return how many seconds that took."""
    start, sent = time.perf_counter(), 0
    while sent < count:
        due = min(count, int((time.perf_counter() - start) * rate) if rate else sent + 200)
        while sent < due:
            context = {"session": f"{sent // 3:021x}", "connection": "c" * 21, "client_ip": "203.0.113.7"}
            log.emit(FACTS[sent % len(FACTS)], context)
            sent += 1
        await asyncio.sleep(STEP if rate else 0)
    return time.perf_counter() - start


async def run(directory: Path, count: int, rate: int) -> Measured:
    """Measure one burst."""
    path = directory / "events.jsonl"
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    probe = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROBE, str(port), str(PROBE_PAUSE), stdout=asyncio.subprocess.PIPE
    )
    assert probe.stdout is not None
    await probe.stdout.readline()
    reading = asyncio.create_task(probe.stdout.read())
    log = EventLog(path)
    start = time.perf_counter()
    emitting = await burst(log, count, rate)
    while log.backlog:  # noqa: ASYNC110 - the log's thread knows nothing of this loop
        await asyncio.sleep(0.01)
    written = time.perf_counter() - start
    probe.terminate()
    delays = [float(text) for text in (await reading).split()]
    await probe.wait()
    server.close()
    log.close()
    parts = ((one.name, one.is_open, lines(one.path, None)) for one in segments(path))
    report = verify(parts, Expected(PublicKey.read(directory / PUBLIC_FILE), read_head(directory, path)))
    return Measured(emitting, written, log.dropped, report.lines, report.whole, delays)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="size of the burst")
    parser.add_argument("--rate", type=int, default=50_000, help="events a second of the second run")
    wanted = parser.parse_args(arguments)
    print(f"{'run':<22}{'reported/s':>12}{'written/s':>12}{'dropped':>9}{'whole':>7}", end="")
    print(f"{'reply ms: median':>18}{'99 %':>8}{'worst':>8}{'replies':>9}")
    for name, rate in (("all at once", 0), (f"{wanted.rate}/s", wanted.rate)):
        with tempfile.TemporaryDirectory() as directory:
            found = asyncio.run(run(Path(directory), wanted.events, rate))
        delays = sorted(found.delays)
        print(f"{name:<22}{wanted.events / found.emitting:>12.0f}{wanted.events / found.written:>12.0f}", end="")
        print(f"{found.dropped:>9}{'yes' if found.whole else 'NO':>7}{statistics.median(delays):>18.2f}", end="")
        print(f"{delays[int(len(delays) * 0.99)]:>8.2f}{delays[-1]:>8.2f}{len(delays):>9}")


if __name__ == "__main__":
    main()
