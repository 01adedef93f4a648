"""Notices that somebody changed this host's firewall; says nothing of what: others look.

The kernel tells of each single change. Somebody else's storm of them costs one awakening in `QUIET` seconds: until then
the socket is not looked at, and what does not fit into its small buffer is thrown away by the kernel.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable

from holdfast.network.nf_tables import MESSAGE, NETFILTER, NEW_GENERATION, attributes_of, generation_in, messages

GROUP = 7
"""NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h."""
ADD_MEMBERSHIP = 1
SOL_NETLINK = 270
QUIET = 0.1
"""Seconds between two awakenings."""
BUFFER = 1 << 16
MOST_READ = 256
"""Notifications that are read at once."""
REMEMBERED = 64
"""Generations whose makers are known."""
PROCESS_ID, PROCESS_NAME = 2, 3
"""NFTA_GEN_PROC_PID and NFTA_GEN_PROC_NAME of linux/netfilter/nf_tables.h."""


class FirewallWatch:
    """Calls `changed` at once when something happened, and again `QUIET` seconds later when more did.

    Where the kernel does not let us listen, it never calls.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = changed
        self._makers: OrderedDict[int, str] = OrderedDict()
        self._resting: asyncio.TimerHandle | None = None
        self._socket = _subscribed()
        if self._socket is not None:
            self._loop.add_reader(self._socket, self._heard)

    def close(self) -> None:
        """Stop watching."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._resting is not None:
            self._resting.cancel()

    def programs(self, after: int, until: int) -> tuple[str, ...]:
        """Return who made these generations, `after` itself left out, as `name (process)`, as far as it was heard."""
        self._read()
        made = [maker for generation, maker in self._makers.items() if after < generation <= until]
        return tuple(dict.fromkeys(made))

    def _heard(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._resting = self._loop.call_later(QUIET, self._listen_again)
        self._read()
        self._changed()

    def _listen_again(self) -> None:
        self._resting = None
        if self._socket is not None:
            self._loop.add_reader(self._socket, self._heard)

    def _read(self) -> None:
        for _ in range(MOST_READ):
            try:
                octets = self._socket.recv(BUFFER) if self._socket is not None else b""
            except BlockingIOError:
                return
            except OSError:  # ENOBUFS: some were thrown away. Everything is looked at anyway
                continue
            if not octets:
                return
            # The kernel sends this one by itself, behind those of single changes.
            if len(octets) >= MESSAGE.size and MESSAGE.unpack_from(octets)[1] == NEW_GENERATION:
                self._note(octets)

    def _note(self, octets: bytes) -> None:
        for _kind, _sequence, payload in messages(octets):
            found = attributes_of(payload)
            name = found.get(PROCESS_NAME, b"").rstrip(b"\0").decode(errors="replace")
            number = int.from_bytes(found.get(PROCESS_ID, b""))
            self._makers[generation_in(found)] = f"{name} ({number})"
        while len(self._makers) > REMEMBERED:
            self._makers.popitem(last=False)


def _subscribed() -> socket.socket | None:
    try:
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, NETFILTER)
    except OSError:
        return None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.bind((0, 0))
        made.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, GROUP)
    except OSError:
        made.close()
        return None
    return made
