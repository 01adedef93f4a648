"""Notices that the network changed, or that the machine slept: wakes up, says nothing of what; others look."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable

LINKS = 0x1
"""RTMGRP_LINK of rtnetlink(7)."""
EVERYTHING = LINKS | 0x10 | 0x40
"""RTMGRP_IPV4_IFADDR and RTMGRP_IPV4_ROUTE as well."""
FORWARDING = 1 << 23 | 1 << 24
"""RTNLGRP_IPV4_NETCONF and RTNLGRP_IPV6_NETCONF of linux/rtnetlink.h: each interface's forwarding, among others."""
SETTLE = 0.1
"""Seconds to wait for the rest of a burst: one cable pulled is a dozen messages."""
SLEEP_CHECK = 2.0
"""Seconds between two looks at the clocks."""
SLEPT = 2.0
"""Seconds that the clock which counts sleep may gain on the other before it was a suspend."""
READ_SIZE = 65536


class NetworkWatch:
    """Calls `changed`, with words for people, some time after what is in `groups` changed, and after a suspend."""

    def __init__(self, changed: Callable[[str], None], groups: int = EVERYTHING) -> None:
        """OSError when the kernel lets nobody listen."""
        self._loop = asyncio.get_running_loop()
        self._changed = changed
        self._pending: asyncio.TimerHandle | None = None
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, groups))
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._heard)
        self._asleep = _time_asleep()
        self._check = self._loop.call_later(SLEEP_CHECK, self._look_at_clocks)

    def close(self) -> None:
        """Stop watching."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._check.cancel()
        if self._pending is not None:
            self._pending.cancel()

    def _heard(self) -> None:
        # A full buffer (ENOBUFS) is news too: something happened, and everything is looked at anyway.
        with contextlib.suppress(OSError):
            while self._socket.recv(READ_SIZE):
                pass
        if self._pending is None:
            self._pending = self._loop.call_later(SETTLE, self._tell)

    def _tell(self) -> None:
        self._pending = None
        self._changed("links, addresses or routes changed")

    def _look_at_clocks(self) -> None:
        asleep = _time_asleep()
        if asleep - self._asleep > SLEPT:
            self._changed(f"the machine slept for {asleep - self._asleep:.0f} s")
        self._asleep = asleep
        self._check = self._loop.call_later(SLEEP_CHECK, self._look_at_clocks)


def _time_asleep() -> float:
    """Return the seconds that this machine has been suspended since it booted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
