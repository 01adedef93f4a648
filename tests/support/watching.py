"""`holdfast watch` running in a namespace, and frames put onto a wire by hand."""

import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.network import Namespace
from support.dialling import HOLDFAST, wait
from support.engine_lab import inside
from support.logs import so_far
from support.patience import patient

ETH_P_ALL = 3


@dataclass
class WatchProcess:
    """A running watch with `--json`."""

    process: "subprocess.Popen[bytes]"
    output: Path
    keep: Path

    def records(self, event: str = "") -> list[dict[str, Any]]:
        """Return what it said so far."""
        return [record for record in so_far(self.output) if not event or record["event"] == event]

    def wait_for(self, event: str, count: int = 1, patience: float = 90.0) -> list[dict[str, Any]]:
        """Wait until it said an event so often; fail at once when it ends before."""
        wait(lambda: self._has_said(event, count), patience, self.output.read_text)
        return self.records(event)

    def _has_said(self, event: str, count: int) -> bool:
        ended = self.process.poll() is not None
        if len(self.records(event)) >= count:
            return True
        assert not ended, f"it ended ({self.process.returncode}) before {count} x {event}:\n{self.output.read_text()}"
        return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(patient(30))

    def is_idle(self, seconds: float = 1.0) -> bool:
        """Whether it sleeps, and needs no processor for a while: it has read everything."""
        before = self._work()
        time.sleep(seconds)
        return self._work() - before <= 1 and self._stat()[0] == "S"

    def _work(self) -> int:
        """Clock ticks (hundredths of a second) that it has used."""
        return sum(map(int, self._stat()[11:13]))

    def _stat(self) -> list[str]:
        """Fields of proc(5) stat from the third, its state, on."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()

    def resident_kib(self) -> int:
        """Return the memory that it has in use."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4


def watch(place: Namespace, interface: str, folder: Path, *options: str) -> WatchProcess:
    """Start one and wait until its ring is open."""
    output, keep = folder / f"watch-{interface}.out", folder / f"kept-{interface}"
    command = (*HOLDFAST, "watch", "-i", interface, "--json", "--state", folder / "watch", "--keep", keep, *options)
    with output.open("wb") as file:
        process = place.start(*command, stdout=file, stderr=subprocess.STDOUT)
    made = WatchProcess(process, output, keep)
    made.wait_for("WATCH_START", patience=60)
    return made


class Wire:
    """Puts whole Ethernet frames onto an interface of a namespace."""

    def __init__(self, place: Namespace, interface: str) -> None:
        self._socket = inside(place, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        inside(place, lambda: self._socket.bind((interface, ETH_P_ALL)))

    def send(self, frame: bytes) -> None:
        """Send one; too short or too long ones are the test's fault."""
        self._socket.send(frame)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
