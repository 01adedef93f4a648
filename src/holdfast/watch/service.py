"""Watching until told to stop: the ring, the desk, signals, and an interface that may go and come back."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from holdfast.control.codes import CONTROL_PORT
from holdfast.errors import HostError
from holdfast.events import WatchImpaired, WatchStarted, WatchStopped
from holdfast.watch.bpf import program
from holdfast.watch.desk import Desk, Report
from holdfast.watch.ring import Ring
from holdfast.watch.shelf import Shelf

LOOK = 0.25
"""Seconds between looks at the clock."""
AGAIN = 1.0
"""Seconds between tries to open an interface that went away."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What is watched: `host` limits it to one IPv4 address, `seconds` in time (0: no limit); `ring` in octets.

    `port` is the servers' TCP port.
    """

    interface: str
    host: str = ""
    seconds: float = 0.0
    ring: int = 8 << 20
    port: int = CONTROL_PORT


@dataclass
class Watch:
    """One run. `started` hears when the ring is open, `look` is called a few times a second."""

    options: WatchOptions
    report: Report
    shelf: Shelf | None = None
    started: Callable[[Desk], None] = lambda _desk: None
    look: Callable[[Desk], None] = lambda _desk: None
    _stop: bool = field(default=False, init=False)

    def run(self) -> Desk:
        """Watch until SIGINT, SIGTERM or the time is over. HostError when it cannot begin."""
        ring: Ring | None = self._open()
        desk = Desk(self.options.interface, self.report, self.shelf, port=self.options.port)
        begin = time.monotonic()
        before = {number: signal.signal(number, self._told) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            directory = str(self.shelf.directory) if self.shelf else ""
            self.report(WatchStarted(self.options.interface, directory), {})
            self.started(desk)
            while not self._stop and not self._late(begin):
                ring = self._turn(ring, desk)
            self._end(ring, desk, begin)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if ring is not None:
                ring.close()
        return desk

    def stop(self) -> None:
        """End soon."""
        self._stop = True

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _late(self, begin: float) -> bool:
        return bool(self.options.seconds) and time.monotonic() - begin >= self.options.seconds

    def _open(self) -> Ring:
        return Ring(self.options.interface, program(self.options.host, self.options.port), octets=self.options.ring)

    def _turn(self, ring: Ring | None, desk: Desk) -> Ring | None:
        lost = 0
        if ring is None:
            ring = self._again()
        else:
            try:
                for captured in ring.packets(LOOK):
                    desk.take(captured)
                lost = ring.lost()
            except HostError as error:
                self.report(WatchImpaired(error.what, 0), {"interface": self.options.interface})
                ring.close()
                ring = None
        desk.tick(time.time_ns(), lost)
        self.look(desk)
        return ring

    def _again(self) -> Ring | None:
        time.sleep(AGAIN)
        with suppress(HostError):
            ring = self._open()
            self.report(WatchImpaired("the interface is there again", 0), {"interface": self.options.interface})
            return ring
        return None

    def _end(self, ring: Ring | None, desk: Desk, begin: float) -> None:
        if ring is not None:
            with suppress(HostError):
                for captured in ring.packets(0.0):
                    desk.take(captured)
                desk.tally.lost += ring.lost()
        desk.close(time.time_ns())
        tally = desk.tally
        seconds = round(time.monotonic() - begin, 1)
        self.report(WatchStopped(seconds, tally.packets, tally.sessions, tally.failures, tally.lost), {})
