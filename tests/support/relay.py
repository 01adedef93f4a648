"""A relay between two network interfaces that loses, delays, reorders, doubles and cuts as it is told. Needs root.

    namespace A == left | relay | right == namespace B

It forwards whole Ethernet frames between two packet sockets, with the kernel's virtio header before each, so that
checksums and segments that hardware would have finished stay as they are. What is not IPv4 (ARP) always passes.
Run as a program it takes a `Weather` as one line of JSON on its input at a time, and answers each with its counts.
"""

import heapq
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lab.network import Namespace

ETH_P_ALL, ETH_P_IP, GRE = 0x0003, 0x0800, 47
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
VIRTIO, ETHERNET = 10, 14
READ_SIZE = VIRTIO + 65536 + ETHERNET
LEFT, RIGHT = "left", "right"
BATCH = 64


@dataclass(frozen=True)
class Weather:
    """What happens to packets. Fractions from 0 to 1, times in seconds.

    `cut` names the sides whose packets are dropped. `reorder` is the fraction that is held back by `hold`, so that
    later ones pass it. `gre_only` leaves TCP and the rest alone.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    reorder: float = 0.0
    hold: float = 0.02
    duplicate: float = 0.0
    cut: tuple[str, ...] = ()
    gre_only: bool = False


@dataclass
class Schedule:
    """Decides when a packet leaves: pure, but for the random numbers handed in."""

    random: random.Random
    weather: Weather = Weather()
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("passed", "lost", "held", "doubled"), 0))

    def leaves(self, frame: bytes, side: str, now: float) -> list[float]:
        """Return when copies of a frame that came in at `side` leave; none for one that is lost."""
        weather = self.weather
        if not self._concerned(frame):
            return [now]
        if side in weather.cut or self.random.random() < weather.loss:
            self.counts["lost"] += 1
            return []
        due = now + weather.delay + self.random.random() * weather.jitter
        if self.random.random() < weather.reorder:
            self.counts["held"] += 1
            due += weather.hold
        self.counts["passed"] += 1
        if self.random.random() < weather.duplicate:
            self.counts["doubled"] += 1
            return [due, due]
        return [due]

    def _concerned(self, frame: bytes) -> bool:
        if int.from_bytes(frame[12:14]) != ETH_P_IP:
            return False
        return not self.weather.gre_only or frame[ETHERNET + 9] == GRE


class Forwarder:
    """The two sockets and what waits between them."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.sockets = {side: _open(side) for side in (LEFT, RIGHT)}
        self._waiting: list[tuple[float, int, str, bytes]] = []
        self._number = 0

    def pause(self, now: float) -> float | None:
        """Return the seconds until something is due; None when nothing waits."""
        return max(0.0, self._waiting[0][0] - now) if self._waiting else None

    def take(self, side: str, now: float) -> None:
        """Take what came in at a side."""
        with suppress(BlockingIOError):
            for _ in range(BATCH):
                data = self.sockets[side].recv(READ_SIZE)
                for due in self.schedule.leaves(data[VIRTIO:], side, now):
                    self._number += 1
                    heapq.heappush(self._waiting, (due, self._number, side, data))

    def give(self, now: float) -> None:
        """Send on what is due. A link that is down loses it."""
        while self._waiting and self._waiting[0][0] <= now:
            _, _, side, data = heapq.heappop(self._waiting)
            with suppress(OSError):
                self.sockets[RIGHT if side == LEFT else LEFT].send(data)


def _open(interface: str) -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    opened.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    opened.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    opened.bind((interface, ETH_P_ALL))
    return opened


def main() -> None:
    """Forward until the input ends."""
    schedule = Schedule(random.Random(1))
    forwarder = Forwarder(schedule)
    selector = selectors.DefaultSelector()
    for side, opened in forwarder.sockets.items():
        selector.register(opened, selectors.EVENT_READ, side)
    selector.register(sys.stdin, selectors.EVENT_READ, "")
    print("ready", flush=True)
    while True:
        for key, _ in selector.select(forwarder.pause(time.monotonic())):
            if key.data:
                forwarder.take(key.data, time.monotonic())
            elif not _obey(schedule, sys.stdin.readline()):
                return
        forwarder.give(time.monotonic())


def _obey(schedule: Schedule, line: str) -> bool:
    if not line:
        return False
    told = json.loads(line)
    schedule.weather = Weather(**{**told, "cut": tuple(told["cut"])})
    print(json.dumps(schedule.counts), flush=True)
    return True


@dataclass
class Relay:
    """A running relay, as tests use it."""

    process: "subprocess.Popen[bytes]"
    weather: Weather = Weather()

    def set(self, **changes: Any) -> dict[str, int]:
        """Change the weather; return what has been counted so far: passed, lost, held, doubled."""
        self.weather = replace(Weather(), **changes)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asdict(self.weather)).encode() + b"\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))


@contextmanager
def relay(wire: Namespace, ends: tuple[tuple[Namespace, str], tuple[Namespace, str]], label: str) -> Iterator[Relay]:
    """Connect two namespaces through a relay in `wire`, the left end first.

    Both interfaces are called `label`; the addresses in `ends` carry their prefix length.
    """
    for side, (place, address) in zip((LEFT, RIGHT), ends, strict=True):
        place.ip("link", "add", label, "type", "veth", "peer", "name", side, "netns", wire.name)
        place.ip("address", "add", address, "dev", label)
        place.ip("link", "set", label, "up")
        wire.ip("link", "set", side, "up", "promisc", "on")
    paths = os.pathsep.join(str(Path(__file__).resolve().parents[level]) for level in (1, 2))
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": {**os.environ, "PYTHONPATH": paths}}
    process = wire.start(sys.executable, "-m", "support.relay", **options)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield Relay(process)
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main()
