"""Measures how big a packet the path of a tunnel carries, and says what that means for the MTU."""

import asyncio
import contextlib
from dataclasses import dataclass
from ipaddress import IPv4Address

from holdfast.dataplane.interface import ENCRYPTED_OVERHEAD, WHOLE_OVERHEAD
from holdfast.dialer.fragments import FragmentEar
from holdfast.dialer.path_search import PathSearch, PathSize
from holdfast.dialer.tunnel import Tunnel
from holdfast.events import PathMeasured


@dataclass(frozen=True, slots=True)
class PathMtu:
    """What one measurement says. `mtu`: of the tunnel, in octets; `path`: the biggest IPv4 packet that was seen to pass
    outside, 0 when the server answered no echo.
    """

    mtu: int
    path: int
    both_ways: bool
    detail: str

    @property
    def event(self) -> PathMeasured:
        """Return it as a fact."""
        return PathMeasured(self.mtu, self.path, self.both_ways, self.detail)


async def measure(tunnel: Tunnel, server: IPv4Address, largest: int, *, encrypted: bool, identifier: int) -> PathMtu:
    """Ask the server with echoes of growing size; `largest` is the MTU hoped for, `identifier` the first to use."""
    loop = asyncio.get_running_loop()
    extra = ENCRYPTED_OVERHEAD - WHOLE_OVERHEAD if encrypted else 0
    trip = tunnel.current_counters().round_trip_time
    search = PathSearch(largest + extra, tunnel.call.mru, round_trip=trip, first_identifier=identifier)
    news = asyncio.Event()
    with contextlib.ExitStack() as stack:
        ear = _listen(server, stack)

        def answered(number: int, size: int) -> None:
            # Fragments are heard before the packet that is put together from them: they must be told first, too.
            if ear is not None and (narrow := ear.smallest()) is not None:
                search.fragmented(narrow, loop.time())
            search.answered(number, size, loop.time())
            news.set()

        tunnel.echo_answered = answered
        search.start(loop.time())
        while search.result is None:
            for probe in search.commands():
                tunnel.call.send_echo(probe.identifier, probe.size)
            news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(search.deadline):
                    await news.wait()
            search.handle_timer(loop.time())
    return conclude(search.result, largest, extra)


def conclude(found: PathSize, largest: int, extra: int) -> PathMtu:
    """Return what `found` means for a tunnel that may have an MTU of `largest`; `extra` octets are MPPE's."""
    if not found.size:
        return PathMtu(largest, 0, both_ways=False, detail=f"the server answers no big echoes: the MTU stays {largest}")
    path, mtu = found.size + WHOLE_OVERHEAD, min(largest, found.size - extra)
    if not found.limited:
        detail = f"packets of {path} octets pass whole"
    elif found.fragments_back:
        detail = f"packets beyond {path} octets come in fragments from the server"
    else:
        detail = f"packets beyond {path} octets do not pass whole"
    if not found.both_ways:
        detail += "; of the way back nothing is known, the server's replies are short"
    return PathMtu(mtu, path, found.both_ways, detail)


def _listen(server: IPv4Address, stack: contextlib.ExitStack) -> FragmentEar | None:
    """Without the right to listen, fragments on the way back stay unknown."""
    try:
        ear = FragmentEar(server)
    except OSError:
        return None
    stack.callback(ear.close)
    return ear
