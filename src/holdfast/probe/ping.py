"""Echoes through a tunnel, and at the same time to its server beside it: what the tunnel itself costs."""

import asyncio
import secrets
import socket
from contextlib import closing, suppress
from ipaddress import IPv4Address

from holdfast.network.packets import ICMP, echo_message, read_echo_reply
from holdfast.probe.course import Course
from holdfast.probe.lookup import address_of
from holdfast.probe.outcome import EchoSeries, ProbeFailedError, Stage, Way, milliseconds, told
from holdfast.probe.place import Place
from holdfast.probe.settings import Ping

PAUSE = 0.2
"""Seconds between two echoes."""
FILLING = 56
"""Octets that each carries, as ping(8) has it."""
READ_SIZE = 65536


async def ping(what: Ping, place: Place, course: Course, patience: float) -> tuple[str, tuple[EchoSeries, ...]]:
    """Ask; return what was found in words and in numbers. ProbeFailedError when the way is worse than allowed.

    `patience`: seconds that an answer to the last echo is waited for, and a name to be found.
    """
    async with asyncio.timeout(patience):
        address = await address_of(what.host, what.server, place, course)
    course.enter(Stage.LOSS)
    asked = [_series(Way.TUNNEL, address, place, what.count, patience)]
    if place.direct:
        asked.append(_series(Way.DIRECT, place.direct, place.outside, what.count, patience))
    ways = tuple(await asyncio.gather(*asked))
    course.done()
    return told(ways) + _difference(ways), ways


def judge(what: Ping, ways: tuple[EchoSeries, ...]) -> Stage | None:
    """Return what is wrong with the way through the tunnel, or None."""
    inside = ways[0]
    if inside.mean is None or inside.loss > what.most_loss:
        return Stage.LOSS
    return Stage.ROUND_TRIP if what.slowest and inside.mean > what.slowest else None


def _difference(ways: tuple[EchoSeries, ...]) -> str:
    if len(ways) < 2 or ways[0].mean is None or ways[1].mean is None:
        return ""
    return f"; the way inside costs {milliseconds(ways[0].mean - ways[1].mean)}"


async def _series(way: Way, address: str, place: Place, count: int, patience: float) -> EchoSeries:
    """Send `count` echoes. Ones that this host does not let out count as lost: a firewall, a way that is gone."""
    loop = asyncio.get_running_loop()
    with closing(place.open(socket.SOCK_RAW, ICMP)) as opened:
        listener = _Listener(IPv4Address(address), count)
        hearing = loop.create_task(listener.hear(opened))
        try:
            for sequence in range(count):
                listener.sent[sequence] = loop.time()
                with suppress(OSError):
                    await loop.sock_sendto(opened, echo_message(listener.identifier, sequence, FILLING), (address, 0))
                await asyncio.wait({hearing}, timeout=PAUSE if sequence + 1 < count else patience)
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})
    if not hearing.cancelled() and (error := hearing.exception()):
        raise ProbeFailedError(Stage.HOST, f"{place.interface or 'this host'}: {error}") from error
    return EchoSeries(way, address, count, tuple(took for _, took in sorted(listener.took.items())))


class _Listener:
    """Matches replies to echoes. One that comes twice counts once."""

    def __init__(self, address: IPv4Address, count: int) -> None:
        self.identifier = secrets.randbelow(0x10000)
        self.sent: dict[int, float] = {}
        self.took: dict[int, float] = {}
        self._address, self._count = address, count

    async def hear(self, opened: socket.socket) -> None:
        """Listen until every echo was answered."""
        loop = asyncio.get_running_loop()
        while len(self.took) < self._count:
            reply = read_echo_reply(await loop.sock_recv(opened, READ_SIZE))
            if reply is None or (reply.source, reply.identifier) != (self._address, self.identifier):
                continue
            if reply.sequence in self.sent and reply.sequence not in self.took:
                self.took[reply.sequence] = loop.time() - self.sent[reply.sequence]
