"""A socket heard by a thread of its own, each packet with the kernel's time: a busy processor delays nobody."""

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Self

SO_TIMESTAMPNS = 35
"""Socket option and ancillary message of asm-generic/socket.h: seconds and nanoseconds, 8 octets each."""
SO_RCVBUFFORCE = 33
STAMP = struct.Struct("@qq")
BUFFER = 16 << 20
LARGEST = 2048

Take = Callable[[float, bytes, Any], None]
"""Is given the time (seconds since 1970), the packet, and where it came from as the kind of socket tells it."""


class Stamped:
    """Hears `opened` as long as the block, and closes it."""

    def __init__(self, opened: socket.socket, take: Take) -> None:
        self._socket, self._take = opened, take
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        opened.settimeout(0.2)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                packet, ancillary, _, source = self._socket.recvmsg(LARGEST, 64)
            except TimeoutError:
                continue
            seconds, nanoseconds = STAMP.unpack(ancillary[0][2])
            self._take(seconds + nanoseconds / 1e9, packet, source)
