"""Ports of loopback for servers that are told their port before they open it.

They lie below those that Linux gives out by itself (32768 and up), and each process of a test run has a part of its
own: between the look and the server's start nobody takes them.
"""

import itertools
import os
import socket
from collections.abc import Iterator

FIRST, SHARE, SHARES = 12_000, 1_000, 20


def _numbers() -> Iterator[int]:
    """Yield the ports of this process again and again. Workers of pytest-xdist are called gw0, gw1 and so on."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")
    first = FIRST + SHARE * ((int(worker) + 1) % SHARES)
    at = os.getpid() % SHARE  # two test runs on one machine do not begin at the same one
    return itertools.cycle((*range(first + at, first + SHARE), *range(first, first + at)))


_NUMBERS = _numbers()


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_ports(count: int) -> tuple[int, ...]:
    """Return ports that nobody has, over TCP or UDP."""
    free = (port for port in itertools.islice(_NUMBERS, SHARE) if _is_free(port))
    found = tuple(itertools.islice(free, count))
    assert len(found) == count, "no free ports"
    return found
