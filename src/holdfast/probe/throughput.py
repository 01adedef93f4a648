"""Throughput at several segment sizes, measured by Debian's iperf3: which sizes pass, and which is the fastest."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.probe.place import Place

TCP_OVERHEAD = 40
"""Octets of the headers of IPv4 and TCP without options (RFC 9293 section 3.7.1)."""
SIZES = (1400, 1360, 1320, 1280, 1200, 1000, 536)
"""Segment sizes that are tried unless others are named: 1360 is what fits the usual MTU of 1400."""
SMALLEST, LARGEST = 88, 8960
"""What the kernel takes for TCP_MAXSEG, and what a jumbo frame carries."""
PORT = 5201
GRACE = 8.0
"""Seconds that a measurement may take beyond its own length until it counts as stalled."""
BUSY, BUSY_TRIES, BUSY_PAUSE = b"server is busy", 10, 1.0
CONNECT_PATIENCE = 5000
"""Milliseconds for the connection to the iperf3 server."""
ALIVE = 0.1
"""The fraction of the best throughput in its direction below which a size counts as one that does not pass."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction. `bits` a second as the receiver counted them; `retransmits` as the sender did, None if unknown."""

    bits: float = 0.0
    retransmits: int | None = None
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One segment size: `up` from here to the server, `down` from there."""

    mss: int
    up: Flow
    down: Flow

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, with the MTU that the segment size needs."""
        return {"mss": self.mss, "mtu": self.mss + TCP_OVERHEAD, "up": asdict(self.up), "down": asdict(self.down)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trials show: the sizes that pass both ways, the largest of them and the fastest; None for none."""

    passing: tuple[int, ...]
    largest: int | None
    fastest: int | None


class UnmeasurableError(HoldfastError):
    """Throughput cannot be measured at all: no iperf3, no server."""


def judge(trials: Sequence[Trial]) -> Verdict:
    """Compare the trials. The fastest is the one with the most in both directions together."""
    best_up = max((trial.up.bits for trial in trials), default=0.0)
    best_down = max((trial.down.bits for trial in trials), default=0.0)
    passing = [t for t in trials if _passes(t.up, best_up) and _passes(t.down, best_down)]
    fastest = max(passing, key=lambda trial: trial.up.bits + trial.down.bits, default=None)
    sizes = tuple(sorted((trial.mss for trial in passing), reverse=True))
    return Verdict(sizes, sizes[0] if sizes else None, None if fastest is None else fastest.mss)


def _passes(flow: Flow, best: float) -> bool:
    return not flow.complaint and flow.bits > 0 and flow.bits >= best * ALIVE


async def measure(server: str, port: int, sizes: Sequence[int], place: Place, seconds: int) -> AsyncIterator[Trial]:
    """Try each size in both directions, `seconds` each, and yield what came of it.

    UnmeasurableError when iperf3 is missing, or when its server cannot be reached at all.
    """
    program = shutil.which("iperf3")
    if program is None:
        raise UnmeasurableError("iperf3 is not installed, and it does the measuring", fix="apt-get install iperf3")
    measurement = _Measurement(program, server, port, place, seconds)
    for mss in sizes:
        yield Trial(mss, await measurement.flow(mss, backwards=False), await measurement.flow(mss, backwards=True))


@dataclass(frozen=True, slots=True)
class _Measurement:
    program: str
    server: str
    port: int
    place: Place
    seconds: int

    async def flow(self, mss: int, *, backwards: bool) -> Flow:
        """Measure one direction. A server that is still busy with what stalled before is asked again."""
        for _ in range(BUSY_TRIES):
            output = await self._call(self._arguments(mss, backwards=backwards))
            if output is None:
                return Flow(complaint="it stalled: what is this big does not arrive")
            if BUSY not in output:
                return read(output, f"{self.server} port {self.port}")
            await asyncio.sleep(BUSY_PAUSE)
        where = f"{self.server} port {self.port}"
        raise UnmeasurableError(
            "the iperf3 server is busy with another measurement", where=where, fix="try again later"
        )

    def _arguments(self, mss: int, *, backwards: bool) -> list[str]:
        made = ["-4", "-J", "-c", self.server, "-p", str(self.port), "-M", str(mss), "-t", str(self.seconds)]
        made += ["--connect-timeout", str(CONNECT_PATIENCE)]
        made += ["--bind-dev", self.place.interface] if self.place.interface else []
        return [*made, "-R"] if backwards else made

    async def _call(self, arguments: Sequence[str]) -> bytes | None:
        """Run iperf3; return what it printed, None when it did not end in time."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(self.seconds + GRACE):
                return (await process.communicate())[0]
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def read(output: bytes, where: str) -> Flow:
    """Read iperf3's report. UnmeasurableError for what no other segment size would mend."""
    try:
        report = json.loads(output)
        if "error" in report:
            return _complaint(str(report["error"]), where)
        sent, received = report["end"]["sum_sent"], report["end"]["sum_received"]
        return Flow(float(received["bits_per_second"]), sent.get("retransmits"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _complaint(output.decode(errors="replace").strip()[-200:] or "it said nothing", where)


def _complaint(text: str, where: str) -> Flow:
    for words, fix in _HOPELESS.items():
        if words in text:
            raise UnmeasurableError(f"iperf3 says: {text}", where=where, fix=fix)
    return Flow(complaint=text)


_HOPELESS = {
    "unable to connect": "is `iperf3 -s` running there, and does its firewall let it be reached through the tunnel?",
    "unrecognized option": "this iperf3 is too old: 3.10 or later is needed to bind to an interface",
}
"""Words of iperf3 that stand for what no other segment size mends, and what to do."""
