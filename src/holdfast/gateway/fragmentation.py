"""Sessions whose tunnel packets travel in pieces: told when they are more than a few, then each minute with counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.dataplane.interface import Counters
from holdfast.events import Direction, Fragmented, InternalFault
from holdfast.gateway.beside import beside
from holdfast.network.fragments import FragmentWatch, Piece, Sight, TooBig

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

LOOK = 1.0
PERIOD = 60.0
"""Seconds between two events about the same session and direction at least."""
FEW = 5
"""Packets in pieces within `PERIOD` that are nothing to tell."""


@dataclass(slots=True)
class Tally:
    """Packets of one direction of a session that were not told yet. `mtu` and `router` as in the event."""

    packets: int = 0
    since: float = 0.0
    told_at: float | None = None
    mtu: int = 0
    router: str = ""


@asynccontextmanager
async def watched_fragments(gateway: "Gateway") -> AsyncIterator[None]:
    """Look for fragments while the gateway runs. Where that is not possible, only what is sent in pieces is known."""
    try:
        watch = FragmentWatch()
    except OSError as error:
        detail = f"tunnel packets that arrive in pieces will go unnoticed: no packet socket ({error.strerror})"
        gateway.report(InternalFault("fragments", detail), {})
        yield
        return
    try:
        async with beside(_look(gateway, watch)):
            yield
    finally:
        watch.close()


async def _look(gateway: "Gateway", watch: FragmentWatch) -> None:
    while True:
        await asyncio.sleep(LOOK)
        seen = watch.look()
        if seen:
            gateway.fragmentation.saw(seen)
        gateway.fragmentation.missed = watch.missed


class Fragmentation:
    """Counts what is seen of all sessions, and tells it."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self.received = 0
        """Tunnel packets that came in pieces."""
        self.missed = 0
        """Those among them that came too fast to be looked at."""
        self.too_big = 0
        """Messages of routers that a tunnel packet of ours is too big."""

    def saw(self, seen: "dict[Sight, int]") -> None:
        """Take what the packet socket saw."""
        everyone = self._gateway.subscribers.values()
        by_local = {(one.connection.client, one.local_call_id): one for one in everyone}
        by_peer = {(one.connection.client, one.peer_call_id): one for one in everyone}
        for sight, times in seen.items():
            if isinstance(sight, Piece):
                self.received += times
                self._count(by_local.get((sight.source, sight.call_id)), Direction.RECEIVED, times, sight.size)
            else:
                self.too_big += times
                self._warned(by_peer.get((sight.peer, sight.call_id)), sight, times)

    def sent(self, subscriber: "Subscriber", counters: Counters) -> None:
        """Look at the engine's count of what went out in pieces."""
        new = counters.gre_fragmented_out - subscriber.fragmented_out
        subscriber.fragmented_out = counters.gre_fragmented_out
        self._count(subscriber, Direction.SENT, new)

    def _warned(self, subscriber: "Subscriber | None", sight: TooBig, times: int) -> None:
        if subscriber is None:
            return
        tally = subscriber.pieces[Direction.SENT]
        tally.router = sight.router
        # One such message is enough: whoever sends it throws packets away.
        self._count(subscriber, Direction.SENT, times, sight.mtu, few=1)

    def _count(
        self, subscriber: "Subscriber | None", direction: Direction, packets: int, mtu: int = 0, few: int = FEW
    ) -> None:
        if subscriber is None or not packets:
            return
        now, tally = self._gateway.now(), subscriber.pieces[direction]
        if now - tally.since > PERIOD and tally.packets < few:
            tally.packets, tally.since = 0, now
        tally.packets += packets
        tally.mtu = mtu or tally.mtu
        if tally.packets >= few and (tally.told_at is None or now - tally.told_at >= PERIOD):
            self._tell(subscriber, direction, tally)
            subscriber.pieces[direction] = Tally(since=now, told_at=now)

    def _tell(self, subscriber: "Subscriber", direction: Direction, tally: Tally) -> None:
        event = Fragmented(direction, tally.packets, _words(direction, tally), tally.mtu, tally.router)
        self._gateway.report(event, subscriber.context())


def _words(direction: Direction, tally: Tally) -> str:
    lower = "a smaller ppp.mtu avoids that"
    if tally.router:
        network = f"a network with MTU {tally.mtu}" if tally.mtu else "the network behind it"
        return f"{tally.router} says that tunnel packets to the client are too big for {network}; {lower}"
    if direction is Direction.SENT:
        return f"tunnel packets to the client are too big for this host's way to it and are sent in pieces; {lower}"
    return (
        f"tunnel packets of the client arrive in pieces, the first of {tally.mtu} octets; a smaller ppp.mru avoids that"
    )
